"""A simulated X."""

from typing import Final

from hubbub.world.platforms.x.posts import iso
from hubbub.world.platforms.x.server import XServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]

SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, budget_factor: XServer(world, clock, faults, max(1, int(budget_factor))).app,
    options=lambda url: {
        "bearer_token": "simulated",
        "base_url": url,
        "queries": ["all"],
        "posts_per_day": 1_000_000,
        "posts_per_month": 2_000_000,
        "usd_per_month": 1_000_000,
        "catch_up_max_posts": 10_000,
        "stream_wait_seconds": 0.05,
    },
    shape=ItemShape(
        fields=lambda value: value if {"id", "text"} <= value.keys() else None,
        created="created_at",
        write_time=iso,
        deleted={"withheld": {"copyright": False, "country_codes": ["XX"]}},
    ),
    fast_options={"requests_per_minute": 6000, "usage_seconds": 10, "reobserve_seconds": 2, "stream_wait_seconds": 0.5},
)
