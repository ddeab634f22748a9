"""A simulated Reddit."""

from typing import Final

from hubbub.world.platforms.reddit.server import RedditServer
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]


def _fields(value: dict[str, object]) -> dict[str, object] | None:
    data = value.get("data") if value.get("kind") in {"t1", "t3"} else None
    return data if isinstance(data, dict) else None


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, budget_factor: RedditServer(world, clock, faults, budget_factor).app,
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
)
