"""A simulated Bluesky: Jetstream on both of its wires, and the AppView."""

from typing import Final

from hubbub.world.platforms.bluesky.records import write_time
from hubbub.world.platforms.bluesky.server import BlueskyServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]


def _record(value: dict[str, object]) -> dict[str, object] | None:
    """Return the record in a commit, as either wire carries it."""
    carrier = value.get("commit") if "time_us" in value else value if "seq" in value else None
    record = carrier.get("record") if isinstance(carrier, dict) else None
    return record if isinstance(record, dict) else None


_FAST = {
    "requests_per_minute": 6000,
    "reobserve_seconds": 1,
    "profiles_seconds": 1,
    "backfill_minutes": 1_440,
    # Minutes of the world take less than a second, so a reader of a busy machine is always some behind.
    "stale_minutes": 1_440,
}
FIRST_WIRE: Final = Simulator(
    serve=lambda world, clock, faults, _: BlueskyServer(world, clock, faults).app,
    options=lambda url: {"hosts": [], "v1_hosts": [url], "appview_url": url},
    shape=ItemShape(fields=_record, created="createdAt", write_time=write_time, deleted={}),
    fast_options=_FAST,
)
"""The older wire of Jetstream."""

SIMULATOR: Final = Simulator(
    serve=FIRST_WIRE.serve,
    options=lambda url: {"hosts": [url], "v1_hosts": [], "appview_url": url},
    shape=FIRST_WIRE.shape,
    fast_options=_FAST,
    ways={"v1": FIRST_WIRE},
)
