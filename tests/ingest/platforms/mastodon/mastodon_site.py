"""A scripted instance of Mastodon: a test says what it shows, streams and refuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from aiohttp import web

from tests.ingest.sites import CREATED_S, Site, Thing

__all__ = ["HOST", "MastodonSite", "local", "native", "toot"]

HOST = "social.example"


def local(number: int) -> str:
    """Return the local id of the status that was created ``number`` seconds after the others began."""
    return str((CREATED_S + number) * 1000 << 16)


def native(number: int, host: str = HOST) -> str:
    """Return the id of the signals for a status."""
    return f"mastodon:{host}/{local(number)}"


def toot(number: int, *, host: str = HOST, name: str = "ada", **changes: object) -> Thing:
    """Return a status created ``number`` seconds after the others began."""
    status: Thing = {
        "id": local(number),
        "uri": f"https://{host}/users/{name}/statuses/{local(number)}",
        "url": f"https://{host}/@{name}/{local(number)}",
        "created_at": datetime.fromtimestamp(CREATED_S + number, UTC).isoformat().replace("+00:00", "Z"),
        "edited_at": None,
        "in_reply_to_id": None,
        "visibility": "public",
        "language": "en",
        "spoiler_text": "",
        "content": f"<p>Status {number}</p>",
        "favourites_count": 3,
        "reblogs_count": 2,
        "replies_count": 0,
        "reblog": None,
        "card": None,
        "account": {"username": name, "acct": name, "followers_count": 70},
    }
    return status | changes


class MastodonSite(Site):
    """``statuses``: all that the instance has, by local id; ``timeline``: the local ids that are shown publicly.

    ``refused``: paths that are answered with 422, as by an instance that wants a login. ``missing``: paths that are
    answered with 404. ``streams``: the open streams.
    """

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, Thing] = {}
        self.timeline: list[str] = []
        self.refused: set[str] = set()
        self.missing: set[str] = set()
        self.streams: list[asyncio.Queue[bytes | None]] = []

    def post(self, number: int, **changes: object) -> Thing:
        """Add a status to the public timeline."""
        status = self.keep(toot(number, **changes))  # type: ignore[arg-type]
        self.timeline.append(str(status["id"]))
        return status

    def reply(self, number: int, to: int, **changes: object) -> Thing:
        """Add a reply, which the public timeline does not show."""
        return self.keep(toot(number, in_reply_to_id=local(to), **changes))  # type: ignore[arg-type]

    def keep(self, status: Thing) -> Thing:
        """Add a status that is on no timeline."""
        self.statuses[str(status["id"])] = status
        return status

    def delete(self, number: int) -> None:
        """Take a status back."""
        del self.statuses[local(number)]

    def emit(self, event: str, data: object) -> None:
        """Send an event on all streams."""
        text = data if isinstance(data, str) else json.dumps(data)
        for stream in self.streams:
            stream.put_nowait(f"event: {event}\ndata: {text}\n\n".encode())

    def break_streams(self) -> None:
        """End all streams."""
        for stream in self.streams:
            stream.put_nowait(None)
        self.streams.clear()

    def paths(self, part: str = "") -> list[str]:
        """Return the paths asked for that contain ``part``, with their queries."""
        return [str(request.rel_url) for request in self.requests if part in request.path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.refused:
            return web.json_response({"error": "This method requires an authenticated user"}, status=422)
        if request.path == "/api/v1/streaming/public":
            return await self._stream(request)
        found = None if request.path in self.missing else self._found(request)
        if found is None:
            return web.json_response({"error": "Record not found"}, status=404)
        return web.json_response(found)

    def _found(self, request: web.Request) -> object:
        match request.path.removeprefix("/api/").split("/"):
            case ["v2", "instance"]:
                found: object = {"configuration": {"urls": {"streaming": self.url.replace("http:", "ws:")}}}
            case ["v1", "timelines", "public"]:
                found = self._page(request, self.timeline)
            case ["v1", "timelines", "tag", name]:
                names = {name, *request.query.getall("any[]", [])}
                found = self._page(request, [id_ for id_, status in self.statuses.items() if names & _tags(status)])
            case ["v1", "statuses"]:
                wanted = request.query.getall("id[]")
                assert 0 < len(wanted) <= 20
                found = [self.statuses[id_] for id_ in wanted if id_ in self.statuses]
            case ["v1", "statuses", id_]:
                found = self.statuses.get(id_)
            case ["v1", "statuses", id_, "context"] if id_ in self.statuses:
                found = {"ancestors": self._above(id_), "descendants": self._below(id_)}
            case _:
                found = None
        return found

    def _page(self, request: web.Request, ids: list[str]) -> list[Thing]:
        least, most = int(request.query.get("min_id", -1)), int(request.query.get("max_id", 2**63))
        limit = int(request.query["limit"])
        shown = sorted((id_ for id_ in ids if id_ in self.statuses and least < int(id_) < most), key=int, reverse=True)
        page = shown[-limit:] if "min_id" in request.query else shown[:limit]
        return [self.statuses[id_] for id_ in page]

    def _above(self, id_: str) -> list[Thing]:
        found: list[Thing] = []
        while (parent := self.statuses[id_]["in_reply_to_id"]) is not None and (id_ := str(parent)) in self.statuses:
            found.insert(0, self.statuses[id_])
        return found

    def _below(self, id_: str) -> list[Thing]:
        found: list[Thing] = []
        for status in self.statuses.values():
            if status["in_reply_to_id"] == id_:
                found += [status, *self._below(str(status["id"]))]
        return found

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" not in request.headers:
            return web.json_response({"error": "Missing access token"}, status=401)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":)\n")
        events: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.streams.append(events)
        while (event := await events.get()) is not None:
            await response.write(event)
        return response


def _tags(status: Thing) -> set[str]:
    tags = status.get("tags")
    return {str(tag["name"]) for tag in tags} if isinstance(tags, list) else set()
