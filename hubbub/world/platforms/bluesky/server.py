"""Bluesky on loopback: a world, streamed as Jetstream does, and served as the AppView does.

Owns the routes, both wires and the order of events. Must never know whether the world was generated or recorded.
Source: https://github.com/bluesky-social/jetstream, https://docs.bsky.app/docs/api/.
"""

from bisect import bisect_left
from datetime import UTC, datetime
from typing import NamedTuple

from aiohttp import WSMsgType, web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import AnyItem, Post, Removal, Reply
from hubbub.world.platforms.bluesky.records import cid, names, profile, record, view
from hubbub.world.simulator import answer, send
from hubbub.world.world import World

TICK_SECONDS = 0.02
"""How often a stream looks for what has happened."""
MAX_IDS = 25
TIME_CURSOR = 10**15
"""The second wire takes a cursor from here on as microseconds."""
SUBPROTOCOL = "xrpc.v1.json"
METHOD = "network.bsky.jetstream.subscribeEvents"
BYSTANDER = "did:plc:bystanderbystanderbystan"
"""An account of somebody else. The network is never silent: there are always such events."""


class Happening(NamedTuple):
    """An item was written, or deleted by its author. A removal by the platform shows on the AppView alone."""

    at_us: int
    deletes: bool
    item: AnyItem


class BlueskyServer:
    """Bluesky's side of ``world``, as of ``clock()``. It needs no token and has no rate limit."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world, self._clock = world, clock
        self._happenings = sorted(_happenings(world), key=lambda happening: (happening.at_us, happening.item.native))
        self._authors = {names(happening.item)[0]: happening.item for happening in self._happenings}
        self._dids = {item.author: did for did, item in self._authors.items()}
        self.app = web.Application(middlewares=[faults.middleware("bluesky", clock)])
        self.app.add_routes(
            [
                web.get("/subscribe", self._subscribe_v1),
                web.get(f"/xrpc/{METHOD}", self._subscribe_v2),
                web.get("/xrpc/app.bsky.feed.getPosts", self._posts),
                web.get("/xrpc/app.bsky.actor.getProfiles", self._profiles),
            ]
        )

    async def _subscribe_v1(self, request: web.Request) -> web.StreamResponse:
        cursor = int(request.query.get("cursor", self._now_us()))
        return await self._stream(request, self._from_time(cursor), second=False)

    async def _subscribe_v2(self, request: web.Request) -> web.StreamResponse:
        cursor = int(request.query.get("cursor", self._now_us()))
        begin = self._from_time(cursor) if cursor >= TIME_CURSOR else max(0, cursor - 1)
        return await self._stream(request, begin, second=True)

    async def _stream(self, request: web.Request, at: int, *, second: bool) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await socket.prepare(request)
        wanted = set(request.query.getall("collections" if second else "wantedCollections", []))
        write = _v2 if second else _v1
        while True:
            now_us = self._now_us()
            while at < len(self._happenings) and (happening := self._happenings[at]).at_us <= now_us:
                at += 1
                if not wanted or names(happening.item)[1] in wanted:
                    await send(request, socket, write(happening, at))
            await send(request, socket, _other_v2(now_us, max(1, at)) if second else _other_v1(now_us))
            try:
                message = await socket.receive(timeout=TICK_SECONDS)
            except TimeoutError:
                continue
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return socket

    async def _posts(self, request: web.Request) -> web.Response:
        uris = request.query.getall("uris", [])
        if not 0 < len(uris) <= MAX_IDS:
            return _invalid(f"Error: uris must have 1 to {MAX_IDS} elements")
        now_ms = self._clock()
        found = (self._world.find(f"bluesky:{_native(uri)}", now_ms) for uri in uris)
        shown = [item for item in found if isinstance(item, Post | Reply) and not item.gone(now_ms)]
        return answer({"posts": [view(item, now_ms) for item in shown]})

    async def _profiles(self, request: web.Request) -> web.Response:
        actors = request.query.getall("actors", [])
        if not 0 < len(actors) <= MAX_IDS:
            return _invalid(f"Error: actors must have 1 to {MAX_IDS} elements")
        found = (self._authors.get(self._dids.get(actor, actor)) for actor in actors)
        return answer({"profiles": [profile(item) for item in found if item is not None]})

    def _from_time(self, at_us: int) -> int:
        return bisect_left(self._happenings, at_us, key=lambda happening: happening.at_us)

    def _now_us(self) -> int:
        return self._clock() * 1000


def _happenings(world: World) -> list[Happening]:
    timelines = (world.posts("bluesky"), world.replies("bluesky"), world.reposts("bluesky"))
    items: list[AnyItem] = [item for timeline in timelines for item in timeline.items]
    written = [Happening(item.appears_ms * 1000, deletes=False, item=item) for item in items]
    deleted = [
        Happening(item.gone_ms * 1000, deletes=True, item=item)
        for item in items
        if item.gone_ms is not None and item.gone_ms > item.appears_ms and item.removal is Removal.DELETED
    ]
    return written + deleted


def _commit(happening: Happening) -> dict[str, object]:
    _, collection, rkey = names(happening.item)
    operation = "delete" if happening.deletes else "create"
    named: dict[str, object] = {"rev": rkey, "operation": operation, "collection": collection, "rkey": rkey}
    return named if happening.deletes else named | {"record": record(happening.item), "cid": cid(happening.item)}


def _v1(happening: Happening, _: int) -> dict[str, object]:
    did = names(happening.item)[0]
    return {"did": did, "time_us": happening.at_us, "kind": "commit", "commit": _commit(happening)}


def _v2(happening: Happening, seq: int) -> dict[str, object]:
    payload: dict[str, object] = {
        "$type": f"{METHOD}#commit",
        "seq": seq,
        "did": names(happening.item)[0],
        "time": _time(happening.at_us),
    }
    return {"$type": "message", "payload": payload | _commit(happening)}


def _other_v1(at_us: int) -> dict[str, object]:
    account = {"active": True, "did": BYSTANDER, "seq": at_us, "time": _time(at_us)}
    return {"did": BYSTANDER, "time_us": at_us, "kind": "account", "account": account}


def _other_v2(at_us: int, seq: int) -> dict[str, object]:
    account = {"active": True, "did": BYSTANDER, "seq": at_us, "time": _time(at_us)}
    payload = {"$type": f"{METHOD}#account", "seq": seq, "did": BYSTANDER, "time": _time(at_us), "account": account}
    return {"$type": "message", "payload": payload}


def _time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _native(uri: str) -> str:
    did, _, rest = uri.removeprefix("at://").partition("/")
    return f"{did}/{rest.rpartition('/')[2]}"


def _invalid(message: str) -> web.Response:
    return web.json_response({"error": "InvalidRequest", "message": message}, status=400)
