"""The JSON API: the ranking, a story, the events, the status, the vocabulary, and all stories as NDJSON.

Owns the routes under ``/api`` and the form of their answers (docs/reference/api.md). Must never know Kafka: it reads
the read model.
"""

from collections.abc import Callable
from urllib.parse import quote

import msgspec
from aiohttp import web

from streams.serve.query import EVERYTHING, FILTERS, BadQueryError, StoryFilter, limit_of, ranked, types_of
from streams.serve.read_model import ReadModel, StoredEvent, newest_first
from streams.serve.status import Status

EXPORT_CHUNK_STORIES = 200


class Api:
    """The answers of the API. ``vocabulary``: that of ``/api/vocabulary``, as JSON."""

    def __init__(self, read_model: ReadModel, status: Status, now_ms: Callable[[], int], vocabulary: bytes) -> None:
        self._read_model = read_model
        self._status = status
        self._now_ms = now_ms
        self._vocabulary = vocabulary

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; each answers GET and HEAD only."""
        return [
            web.get("/api/stories", self.stories),
            web.get("/api/stories.ndjson", self.export),
            web.get("/api/stories/{story}", self.story),
            web.get("/api/events", self.events),
            web.get("/api/status", self.status),
            web.get("/api/vocabulary", self.vocabulary),
        ]

    async def stories(self, request: web.Request) -> web.Response:
        """Answer with the ranking."""
        values = values_of(request)
        found, total = ranked(
            self._read_model, StoryFilter.parse(values), values.get("sort", ["noise"])[-1], limit_of(values)
        )
        rows = b",".join(
            b'{"score":%b,"trend":%b}' % (story.encoded_row(), msgspec.json.encode(story.trend.points()))
            for story in found
        )
        return _json(b'{"now_ms":%d,"total":%d,"stories":[%b]}' % (self._now_ms(), total, rows))

    async def story(self, request: web.Request) -> web.Response:
        """Answer with one story, by its id or slug. Redirect a merged story to the one it was merged into."""
        name = request.match_info["story"]
        story = self._read_model.find(name)
        if story is None:
            if into := self._read_model.merged_into(name):
                raise web.HTTPFound(f"/api/stories/{quote(into, safe='')}")
            return _json(msgspec.json.encode({"error": "there is no such live story; it may have ended"}), status=404)
        return _json(
            b'{"now_ms":%d,"score":%b,"trend":%b,"events":[%b]}'
            % (
                self._now_ms(),
                story.record,
                msgspec.json.encode(story.trend.points()),
                _records(self._read_model.story_events(story.row.story)),
            )
        )

    async def events(self, request: web.Request) -> web.Response:
        """Answer with the recent events, newest first."""
        values = values_of(request)
        limit, types, wanted = limit_of(values), types_of(values), StoryFilter.parse(values)
        found = self._read_model.events(types)
        if name := values.get("story", [""])[-1]:
            story = self._read_model.find(name)
            id_ = story.row.story if story else name
            found = [stored for stored in found if id_ in {stored.event.story, stored.event.slug}]
            own = [stored for stored in self._read_model.story_events(id_) if stored.event.type in types]
            found = newest_first({stored.record: stored for stored in (*found, *own)}.values())
        if wanted != EVERYTHING:
            found = [
                stored
                for stored in found
                if (story := self._read_model.get(stored.event.story)) is not None and wanted.matches(story.row)
            ]
        return _json(b'{"now_ms":%d,"events":[%b]}' % (self._now_ms(), _records(found[:limit])))

    async def status(self, _request: web.Request) -> web.Response:
        """Answer with the status."""
        return _json(msgspec.json.encode(self._status.report()))

    async def vocabulary(self, _request: web.Request) -> web.Response:
        """Answer with the words that the page shows."""
        return _json(self._vocabulary)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Answer with the whole record of every story that passes the filters, one a line, loudest first."""
        wanted = StoryFilter.parse(values_of(request))
        found, _ = ranked(self._read_model, wanted, "noise", len(self._read_model))
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        await response.prepare(request)
        for start in range(0, len(found), EXPORT_CHUNK_STORIES):
            chunk = found[start : start + EXPORT_CHUNK_STORIES]
            await response.write(b"".join(story.record + b"\n" for story in chunk))
        return response


def values_of(request: web.Request) -> dict[str, list[str]]:
    """Return the parameters of a request.

    Raises:
        BadQueryError: a parameter is unknown. A misspelt filter must not pass for no filter.
    """
    known = _PARAMETERS.get(request.path, frozenset())
    values: dict[str, list[str]] = {}
    for name, value in request.query.items():
        if name not in known:
            raise BadQueryError(f"there is no parameter {name[:40]!r} here, only {', '.join(sorted(known))}")
        values.setdefault(name, []).append(value)
    return values


_PARAMETERS = {
    "/api/stories": FILTERS | {"sort", "limit"},
    "/api/stories.ndjson": FILTERS,
    "/api/events": FILTERS | {"type", "story", "limit"},
    "/ws": FILTERS | {"story"},
}


def _records(events: list[StoredEvent]) -> bytes:
    return b",".join(stored.record for stored in events)


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "no-store"},
    )
