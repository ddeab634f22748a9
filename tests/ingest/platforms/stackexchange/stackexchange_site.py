"""A scripted Stack Exchange: a test says which questions its sites have, and how it fails."""

from __future__ import annotations

from aiohttp import web

from tests.ingest.sites import CREATED_S, Answer, Site, Thing

__all__ = ["StackExchangeSite", "answer", "comment", "question", "refuse"]


def question(number: int, *, active_s: int | None = None, **changes: object) -> Thing:
    """Return a question asked ``number`` seconds after the others began, with nothing below it."""
    found: Thing = {
        "question_id": number,
        "title": f"Question {number}",
        "body": "<p>Why?</p>",
        "link": f"https://ai.stackexchange.com/questions/{number}/why",
        "owner": {"display_name": "alice", "user_id": 5},
        "score": 3,
        "view_count": 90,
        "answer_count": 0,
        "comment_count": 0,
        "creation_date": CREATED_S + number,
        "last_activity_date": CREATED_S + number if active_s is None else CREATED_S + active_s,
    }
    return found | changes


def answer(number: int, of: int, **changes: object) -> Thing:
    """Return an answer to the question ``of``."""
    found: Thing = {
        "answer_id": number,
        "question_id": of,
        "body": "<p>Because.</p>",
        "owner": {"display_name": "bob", "user_id": 6},
        "score": 2,
        "comment_count": 0,
        "creation_date": CREATED_S + number,
    }
    return found | changes


def comment(number: int, below: int, **changes: object) -> Thing:
    """Return a comment on the question or answer ``below``."""
    found: Thing = {
        "comment_id": number,
        "post_id": below,
        "body": "Well &amp; good.",
        "owner": {"display_name": "carol", "user_id": 7},
        "score": 0,
        "creation_date": CREATED_S + number,
    }
    return found | changes


def refuse(number: int, name: str, said: str, status: int = 400) -> Answer:
    """Refuse as the API does: a status, and an error object."""

    async def refused(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error_id": number, "error_name": name, "error_message": said}, status=status)

    return refused


class StackExchangeSite(Site):
    """``questions`` by site. ``wrapper``: more fields of each answer, such as ``backoff``."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: dict[str, list[Thing]] = {}
        self.wrapper: Thing = {"quota_max": 300, "quota_remaining": 299}

    def polls(self) -> list[str]:
        """Return the sites that were asked for questions, in order."""
        return [request.query["site"] for request in self.requests if "site" in request.query]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "gzip"
        has_more = False
        if request.path == "/2.3/filters/create":
            items: list[Thing] = [{"filter": "!abc"}]
        else:
            assert request.query["filter"] == "!abc"
            found = self.questions.get(request.query["site"], [])
            if request.path in {"/2.3/questions", "/2.3/search"}:
                found = sorted(found, key=lambda one: -int(str(one["last_activity_date"])))
                start = (int(request.query["page"]) - 1) * 100
                items, has_more = found[start : start + 100], start + 100 < len(found)
            else:
                wanted = request.path.rpartition("/")[2].split(";")
                items = [one for one in found if str(one["question_id"]) in wanted]
        response = web.json_response({"items": items, "has_more": has_more} | self.wrapper)
        response.enable_compression(web.ContentCoding.gzip)
        return response
