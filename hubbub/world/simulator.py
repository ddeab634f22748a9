"""A simulated platform's declaration, and how simulated platforms answer.

Owns its form and the one way in which a value becomes a response or an item of a stream. Must never know a platform.
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShape:
    """Where the fields of an item are in the platform's JSON, for tests that change them.

    ``fields(value)``: the object with the fields if a JSON object is an item, else None. ``created``: the field that
    says when the item was created, in the form of ``write_time(epoch ms)``. ``deleted``: what the fields become when
    the author takes the item back.
    """

    fields: Callable[[dict[str, object]], dict[str, object] | None]
    created: str
    write_time: Callable[[int], object]
    deleted: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Codec:
    """How a response that is not JSON becomes a JSON value with the items in it, for tests that change them.

    ``encode`` is the way back; a field that the format cannot carry may be dropped.
    """

    decode: Callable[[bytes], object]
    encode: Callable[[object], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One simulated platform. Its folder in ``hubbub/world/platforms/`` exports it as ``SIMULATOR``.

    ``serve(world, clock, faults, budget_factor)``: the application; ``budget_factor`` times as many requests are
    allowed as on the platform. ``push(world, clock, url)``: instead, for a platform that sends and is not asked: it
    sends to the collector at ``url`` until it is cancelled. ``options(url)``: the collector's options that point it at
    a simulator, or let it listen for one.
    ``fast_options``: more of them, for a world some hundred times as fast as real time. ``recorded_options``: more of
    them, for a recording. ``codec``: for responses that are not JSON. ``ways``: other ways to read the same platform,
    by name, such as one without a key; the contract suite runs for each.
    """

    serve: Callable[[World, Clock, Faults, float], web.Application] | None = None
    push: Callable[[World, Clock, str], Coroutine[object, object, None]] | None = None
    options: Callable[[str], dict[str, object]]
    shape: ItemShape
    fast_options: Mapping[str, object] = field(default_factory=dict)
    recorded_options: Mapping[str, object] = field(default_factory=dict)
    codec: Codec | None = None
    ways: Mapping[str, "Simulator"] = field(default_factory=dict)


def answer(value: object) -> web.Response:
    """Return ``value`` as a JSON response."""
    return web.Response(body=_json(value), content_type="application/json", charset="utf-8")


async def send(
    request: web.Request, stream: web.WebSocketResponse | web.StreamResponse, value: object, event: str = ""
) -> None:
    """Send ``value`` as JSON on a stream: a message of a WebSocket, a server-sent event (if named), or else a line.

    ``request["rewrite"]``, if a test has set it, changes a list with the value first. So it may also be sent twice, or
    not at all.
    """
    values: list[object] = request["rewrite"]([value]) if "rewrite" in request else [value]
    for data in map(_json, values):
        if isinstance(stream, web.WebSocketResponse):
            await stream.send_str(data.decode())
        elif event:
            await stream.write(b"event: %s\ndata: %s\n\n" % (event.encode(), data))
        else:
            await stream.write(data + b"\r\n")


def _json(value: object) -> bytes:
    """Return ``value`` as JSON. Half a surrogate pair goes out escaped, as platforms do send it."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()
