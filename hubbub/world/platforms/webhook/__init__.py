"""A simulated sender: the owner of a newsletter, who posts its issues to the webhook."""

from typing import Final
from urllib.parse import urlsplit

from hubbub.world.platforms.webhook.sender import TOKEN, push
from hubbub.world.simulator import ItemShape, Simulator

__all__ = ["SIMULATOR"]

SIMULATOR: Final = Simulator(
    push=push,
    options=lambda url: {"host": urlsplit(url).hostname, "port": urlsplit(url).port, "token": TOKEN},
    shape=ItemShape(
        fields=lambda value: value if {"id", "created_ms"} <= value.keys() else None,
        created="created_ms",
        write_time=lambda at_ms: at_ms,
        deleted={"deleted": True},
    ),
    fast_options={"requests_per_minute": 6000},
)
