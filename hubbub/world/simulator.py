"""A simulated platform's declaration, and how simulated platforms answer.

Owns its form and the one way in which a value becomes a response. Must never know a platform.
"""

import json
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One simulated platform. Its folder in ``hubbub/world/platforms/`` exports it as ``SIMULATOR``.

    ``serve(world, clock, faults, budget_factor)``: the application; ``budget_factor`` times as many requests are
    allowed as on the platform. ``options(url)``: the collector's options that point it at a simulator.
    ``fast_options``: more of them, for a world some hundred times as fast as real time. ``recorded_options``: more of
    them, for a recording.
    """

    serve: Callable[[World, Clock, Faults, float], web.Application]
    options: Callable[[str], dict[str, object]]
    shape: ItemShape
    fast_options: Mapping[str, object] = field(default_factory=dict)
    recorded_options: Mapping[str, object] = field(default_factory=dict)


def answer(value: object) -> web.Response:
    """Return ``value`` as a JSON response. Half a surrogate pair goes out escaped, as platforms do send it."""
    try:
        body = msgspec.json.encode(value)
    except UnicodeEncodeError:
        body = json.dumps(value).encode()
    return web.Response(body=body, content_type="application/json", charset="utf-8")
