"""The JSON API: the ranking, a story, the events, the status, and the whole board as NDJSON.

Owns the routes under ``/api`` and what their answers look like (docs/reference/api.md). Must never know Kafka: it
reads the board.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec
from aiohttp import web

from streams.serve.query import BadQueryError, StoryFilter, limit_of, ranked, types_of
from streams.serve.read_model import Board, KeptEvent, newest_first
from streams.serve.status import Status

__all__ = ["Api", "values_of"]

EXPORT_CHUNK_STORIES = 200

_encode = msgspec.json.Encoder().encode


class Api:
    """The answers of the API over one board."""

    def __init__(self, board: Board, status: Status, now_ms: Callable[[], int], vocabulary: bytes) -> None:
        self._board = board
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
            self._board, StoryFilter.parse(values), values.get("sort", ["noise"])[-1], limit_of(values)
        )
        rows = b",".join(
            b'{"score":%b,"trend":%b}' % (story.encoded_row(), _encode(story.trend.points())) for story in found
        )
        return _json(b'{"now_ms":%d,"total":%d,"stories":[%b]}' % (self._now_ms(), total, rows))

    async def story(self, request: web.Request) -> web.Response:
        """Answer with one story, by its id or slug; one that was merged is redirected to what it became part of."""
        name = request.match_info["story"]
        story = self._board.find(name)
        if story is None:
            if into := self._board.merged_into(name):
                raise web.HTTPFound(f"/api/stories/{quote(into, safe='')}")
            return _json(_encode({"error": "there is no such story on the board; it may be over"}), status=404)
        return _json(
            b'{"now_ms":%d,"score":%b,"trend":%b,"events":[%b]}'
            % (
                self._now_ms(),
                story.record,
                _encode(story.trend.points()),
                _records(self._board.story_events(story.row.story)),
            )
        )

    async def events(self, request: web.Request) -> web.Response:
        """Answer with the recent events, newest first."""
        values = values_of(request)
        limit, types, wanted = limit_of(values), types_of(values), StoryFilter.parse(values)
        kept = self._board.events(types)
        if name := values.get("story", [""])[-1]:
            story = self._board.find(name)
            id_ = story.row.story if story else name
            kept = [one for one in kept if id_ in {one.event.story, one.event.slug}]
            own = [one for one in self._board.story_events(id_) if one.event.type in types]
            kept = newest_first({one.record: one for one in (*kept, *own)}.values())
        if wanted != StoryFilter():
            kept = [
                one
                for one in kept
                if (story := self._board.get(one.event.story)) is not None and wanted.matches(story.row)
            ]
        return _json(b'{"now_ms":%d,"events":[%b]}' % (self._now_ms(), _records(kept[:limit])))

    async def status(self, _request: web.Request) -> web.Response:
        """Answer with how serve is doing."""
        return _json(_encode(self._status.report()))

    async def vocabulary(self, _request: web.Request) -> web.Response:
        """Answer with the words that the page shows."""
        return _json(self._vocabulary)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Answer with the whole record of every wanted story, one a line, loudest first."""
        wanted = StoryFilter.parse(values_of(request))
        found, _ = ranked(self._board, wanted, "noise", len(self._board))
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        await response.prepare(request)
        for start in range(0, len(found), EXPORT_CHUNK_STORIES):
            chunk = found[start : start + EXPORT_CHUNK_STORIES]
            await response.write(b"".join(story.record + b"\n" for story in chunk))
        return response


def values_of(request: web.Request) -> dict[str, list[str]]:
    """Return the parameters of a request.

    Raises:
        BadQueryError: one that nobody knows; a misspelt filter must not pass for no filter.
    """
    known = _PARAMETERS.get(request.path, frozenset())
    values: dict[str, list[str]] = {}
    for name, value in request.query.items():
        if name not in known:
            raise BadQueryError(f"there is no parameter {name[:40]!r} here, only {', '.join(sorted(known))}")
        values.setdefault(name, []).append(value)
    return values


_FILTERS = frozenset({"beat", "band", "state", "platform", "category", "q"})
_PARAMETERS = {
    "/api/stories": _FILTERS | {"sort", "limit"},
    "/api/stories.ndjson": _FILTERS,
    "/api/events": _FILTERS | {"type", "story", "limit"},
    "/ws": _FILTERS | {"story"},
}


def _records(events: list[KeptEvent]) -> bytes:
    return b",".join(kept.record for kept in events)


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "no-store"},
    )
