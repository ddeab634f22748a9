"""A simulated Hacker News."""

from typing import Final

from hubbub.world.platforms.hackernews.server import HackerNewsServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]

SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, _: HackerNewsServer(world, clock, faults).app,
    options=lambda url: {"base_url": url, "algolia_url": url},
    shape=ItemShape(
        fields=lambda value: value if {"id", "type"} <= value.keys() else None,
        created="time",
        write_time=lambda at_ms: at_ms // 1000,
        deleted={"deleted": True, "by": None, "text": None, "title": None, "url": None},
    ),
    fast_options={
        "requests_per_minute": 6000,
        "poll_seconds": 1,
        "updates_seconds": 3,
        "front_page_seconds": 5,
        "reobserve_seconds": 2,
        "missing_retry_seconds": 1,
    },
    # The ids of recorded items have gaps of millions; those before the first are not worth asking for.
    recorded_options={"catch_up_max_items": 200},
)
