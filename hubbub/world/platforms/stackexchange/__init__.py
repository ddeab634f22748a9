"""A simulated Stack Exchange."""

from typing import Final

from hubbub.world.platforms.stackexchange.server import StackExchangeServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]

SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, budget_factor: StackExchangeServer(world, clock, faults, budget_factor).app,
    options=lambda url: {"base_url": url, "sites": {"ai": [], "datascience": [], "stackoverflow": ["llm", "agents"]}},
    shape=ItemShape(
        fields=lambda value: value if {"question_id", "creation_date"} <= value.keys() else None,
        created="creation_date",
        write_time=lambda at_ms: at_ms // 1000,
        deleted={},  # what was deleted is left out
    ),
    fast_options={"requests_per_minute": 600, "requests_per_day": 1_000_000, "poll_seconds": 2, "check_hours": 0.005},
)
