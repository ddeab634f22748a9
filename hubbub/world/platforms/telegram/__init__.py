"""A simulated Telegram: the preview pages of public channels."""

from datetime import UTC, datetime
from typing import Final

from hubbub.world.platforms.telegram.html import decode, encode
from hubbub.world.platforms.telegram.server import CHANNELS, TelegramServer
from hubbub.world.simulator import Codec, ItemShape, Simulator

__all__ = ["SIMULATOR"]


SIMULATOR: Final = Simulator(
    serve=lambda world, clock, faults, _: TelegramServer(world, clock, faults).app,
    options=lambda url: {"base_url": url, "channels": list(CHANNELS)},
    shape=ItemShape(
        fields=lambda value: value if {"post", "time"} <= value.keys() else None,
        created="time",
        write_time=lambda at_ms: datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
        deleted={"deleted": True},
    ),
    fast_options={"requests_per_minute": 6000, "poll_seconds": 1, "reobserve_seconds": 5, "backfill_hours": 96},
    codec=Codec(decode, encode),
)
