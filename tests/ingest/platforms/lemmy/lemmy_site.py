"""A scripted instance of Lemmy: a test says what it has, in which version of the API, and how it fails."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from tests.ingest.sites import CREATED_S, Answer, Site, Thing

__all__ = ["HOST", "LemmySite", "comment_view", "post_view", "refuse", "written"]

HOST = "lemmy.example"


def written(at_s: int) -> str:
    """Return a time as Lemmy writes it."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def post_view(number: int, *, host: str = HOST, counts: Thing | None = None, **changes: object) -> Thing:
    """Return the PostView (v3) of a post created ``number`` seconds after the others began."""
    post: Thing = {
        "id": number,
        "name": f"Post {number}",
        "url": f"https://example.org/{number}",
        "body": "Text",
        "published": written(CREATED_S + number),
        "ap_id": f"https://{host}/post/{number}",
        "deleted": False,
        "removed": False,
        "language_id": 37,
    }
    return {
        "post": post | changes,
        "creator": {"name": "alice", "actor_id": f"https://{host}/u/alice"},
        "community": {"name": "technology", "actor_id": f"https://{host}/c/technology"},
        "counts": {"score": 8, "upvotes": 9, "downvotes": 1, "comments": 2} | (counts or {}),
    }


def comment_view(number: int, post: Thing, **changes: object) -> Thing:
    """Return the CommentView (v3) of a comment on a post, which is a PostView."""
    comment: Thing = {
        "id": number,
        "content": "Well.",
        "published": written(CREATED_S + number),
        "ap_id": f"https://{HOST}/comment/{number}",
        "deleted": False,
        "removed": False,
        "path": f"0.{number}",
        "language_id": 0,
    }
    return {
        "comment": comment | changes,
        "post": post["post"],
        "creator": {"name": "bob", "actor_id": "https://other.example/u/bob"},
        "community": post["community"],
        "counts": {"score": 1, "upvotes": 1, "downvotes": 0, "child_count": 0},
    }


def as_v4(view: Thing) -> Thing:
    """Return a view as API v4 has it: the counts in the item, the times and addresses under other names."""
    renamed = {"published": "published_at", "actor_id": "ap_id"}

    def rename(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {renamed.get(key, key): rename(part) for key, part in value.items()}

    found = {key: rename(part) for key, part in view.items() if key != "counts"}
    found["comment" if "comment" in found else "post"] |= view["counts"]  # type: ignore[operator]
    found["community"] |= {"subscribers": 500}  # type: ignore[operator]
    return found


def refuse(code: int, error: str, headers: dict[str, str] | None = None) -> Answer:
    """Refuse as Lemmy does: a status, and a word in the body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": error}, status=code, headers=headers)

    return answer


class LemmySite(Site):
    """``posts`` and ``comments`` as views of v3, oldest first. ``members``: by community; ``version``: of Lemmy."""

    def __init__(self, version: str = "0.19.12") -> None:
        super().__init__()
        self.version = version
        self.posts: list[Thing] = []
        self.comments: list[Thing] = []
        self.unlisted: list[Thing] = []
        self.members: dict[str, int] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        api = 3 if self.version.startswith("0.") else 4
        match request.path.removeprefix("/api/").split("/"):
            case ["v3" | "v4", "site"]:
                languages = [{"id": 0, "code": "und"}, {"id": 37, "code": "en"}]
                return web.json_response({"version": self.version, "all_languages": languages})
            case [version, "post" | "comment" as kind, "list"] if version == f"v{api}":
                return self._list(request, kind, api)
            case [version, "post"] if version == f"v{api}":
                known = {str(view["post"]["id"]): view for view in [*self.posts, *self.unlisted]}  # type: ignore[index]
                if (view := known.get(request.query["id"])) is None:
                    return await refuse(*((400, "couldnt_find_post") if api == 3 else (404, "not_found")))(request)
                return web.json_response({"post_view": view if api == 3 else as_v4(view)})
            case [_, "community"]:
                counts = {"subscribers": self.members.get(request.query["name"])}
                return web.json_response({"community_view": {"counts": counts}})
        return web.Response(status=404)

    def _list(self, request: web.Request, kind: str, api: int) -> web.Response:
        views = (self.posts if kind == "post" else self.comments)[::-1]
        if (name := request.query.get("community_name")) is not None:
            views = [view for view in views if view["community"]["name"] == name.partition("@")[0]]  # type: ignore[index]
        limit = int(request.query["limit"])
        assert 1 <= limit <= 50
        start = (
            (int(request.query.get("page", "1")) - 1) * limit if api == 3 else int(request.query.get("page_cursor", 0))
        )
        page = views[start : start + limit]
        if api == 3:
            return web.json_response({f"{kind}s": page})
        more = str(start + limit) if start + limit < len(views) else None
        return web.json_response({"items": [as_v4(view) for view in page], "next_page": more})
