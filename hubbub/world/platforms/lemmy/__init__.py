"""A simulated instance of Lemmy."""

from typing import Final

from hubbub.world.platforms.lemmy.server import LemmyServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]


def _fields(value: dict[str, object]) -> dict[str, object] | None:
    item = value.get("comment", value.get("post")) if "creator" in value else None
    return item if isinstance(item, dict) else None


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, budget_factor: LemmyServer(world, clock, faults, budget_factor).app,
    options=lambda url: {"instances": [url]},
    shape=ItemShape(
        fields=_fields,
        created="published",
        write_time=LemmyServer.write_time,
        deleted={"deleted": True, "content": "", "name": "", "body": None, "url": None},
    ),
    fast_options={
        "requests_per_minute": 6000,
        "posts_poll_seconds": 1,
        "comments_poll_seconds": 1,
        "discussed_poll_seconds": 2,
        "hot_poll_seconds": 5,
        "full_scan_seconds": 5,
        "reobserve_seconds": 1,
        "members_seconds": 1,
    },
)
