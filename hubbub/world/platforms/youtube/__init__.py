"""A simulated YouTube."""

from typing import Final

from hubbub.world.platforms.youtube.resources import channel_id, feed_of, iso, videos_of
from hubbub.world.platforms.youtube.server import YouTubeServer
from hubbub.world.profiles import PROFILES
from hubbub.world.simulator import Codec, ItemShape, Simulator

__all__ = ["SIMULATOR"]

KINDS: Final = {"youtube#video", "youtube#comment"}


def _fields(value: dict[str, object]) -> dict[str, object] | None:
    snippet = value.get("snippet") if value.get("kind") in KINDS else None
    return snippet if isinstance(snippet, dict) else None


def _encode(value: object) -> bytes:
    entries = value.get("entries") if isinstance(value, dict) else None
    return feed_of([entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else [])


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, budget_factor: YouTubeServer(world, clock, faults, budget_factor).app,
    options=lambda url: {
        "api_key": "simulated",
        "api_url": url,
        "feeds_url": url,
        "channels": [channel_id(name) for name, _ in PROFILES["youtube"].places],
        "units_per_day": 1_000_000,
    },
    shape=ItemShape(fields=_fields, created="publishedAt", write_time=iso, deleted={}),
    fast_options={"requests_per_minute": 6000, "feed_seconds": 3, "reobserve_seconds": 2, "comments_seconds": 1},
    codec=Codec(decode=lambda body: {"entries": videos_of(body)}, encode=_encode),
)
