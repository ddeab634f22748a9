"""A simulated Reddit."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.platforms.reddit import atom
from hubbub.world.platforms.reddit.server import RedditServer
from hubbub.world.simulator import Codec, ItemShape, Simulator
from hubbub.world.world import World

__all__ = ["SIMULATOR"]

LATEST_S = 253_402_300_799
"""The end of the year 9999, the last that a date can carry."""


def _fields(value: dict[str, object]) -> dict[str, object] | None:
    data = value.get("data") if value.get("kind") in {"t1", "t3"} else None
    return data if isinstance(data, dict) else None


def _serve(world: World, clock: Clock, faults: Faults, budget_factor: float) -> web.Application:
    return RedditServer(world, clock, faults, budget_factor).app


FEEDS: Final = Simulator(
    serve=_serve,
    options=lambda url: {"reddit_url": url, "subreddits": ["all"]},
    shape=ItemShape(
        fields=lambda value: value if {"id", "content"} <= value.keys() else None,
        created="published",
        write_time=lambda at_ms: datetime.fromtimestamp(min(at_ms / 1000, LATEST_S), UTC).isoformat(),
        deleted={"author": "/u/[deleted]", "content": "[deleted]", "title": "[deleted by user]"},
    ),
    fast_options={"requests_per_minute": 1200, "submissions_poll_seconds": 1, "comments_poll_seconds": 1},
    codec=Codec(atom.decode, atom.encode),
)
"""Reddit's public feeds: the way without a key."""

SIMULATOR: Final = Simulator(
    serve=_serve,
    options=lambda url: {
        "client_id": "simulated",
        "client_secret": "simulated",  # the simulated platform takes any
        "reddit_url": url,
        "oauth_url": url,
        "subreddits": ["all"],
    },
    shape=ItemShape(
        fields=_fields,
        created="created_utc",
        write_time=lambda at_ms: at_ms / 1000,
        deleted={"author": "[deleted]", "selftext": "[deleted]", "body": "[deleted]", "title": "[deleted by user]"},
    ),
    fast_options={
        "requests_per_minute": 1200,
        "submissions_poll_seconds": 1,
        "comments_poll_seconds": 1,
        "reobserve_seconds": 2,
        "sweep_seconds": 5,
    },
    ways={"feeds": FEEDS},
)
