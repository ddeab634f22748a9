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


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, _: BlueskyServer(world, clock, faults).app,
    options=lambda url: {"hosts": [url], "v1_hosts": [], "appview_url": url},
    shape=ItemShape(fields=_record, created="createdAt", write_time=write_time, deleted={}),
    fast_options={"requests_per_minute": 6000, "reobserve_seconds": 1, "profiles_seconds": 1},
)
