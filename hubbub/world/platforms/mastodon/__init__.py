"""A simulated instance of Mastodon."""

from datetime import UTC, datetime
from typing import Final

from hubbub.world.platforms.mastodon.server import MastodonServer
from hubbub.world.platforms.mastodon.statuses import HERE
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]


def _simulator(*, streams: bool) -> Simulator:
    instance = {"access_token": "simulated"} if streams else {}  # the simulated instance takes any
    return Simulator(
        serve=lambda world, clock, faults, budget_factor: MastodonServer(world, clock, faults, budget_factor).app,
        options=lambda url: {
            "instances": {HERE: {"url": url} | instance},
            "tags": [],
            "stream_seconds": 5,  # of a test's clock; some real time is spent in each poll of a stream
        },
        shape=ItemShape(
            fields=lambda value: value if {"id", "visibility"} <= value.keys() else None,
            created="created_at",
            write_time=lambda at_ms: datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
            deleted={"visibility": "private"},  # an instance gives no deleted statuses; this too hides one from readers
        ),
        fast_options={
            "requests_per_minute": 6000,
            "instance_requests_per_minute": 6000,
            "poll_seconds": 0.5,
            "stream_seconds": 0.5,
            "catch_up_seconds": 0.5,
            "threads_seconds": 0.3,
            "reobserve_seconds": 1,
            "backfill_hours": 24,
        },
        ways={} if streams else {"stream": _simulator(streams=True)},
    )


SIMULATOR: Final = _simulator(streams=False)
