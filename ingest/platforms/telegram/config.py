"""Options of the Telegram collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, HttpUrl, StringConstraints

from ingest.collector import CollectorConfig, Positive, Whole

__all__ = ["TelegramConfig"]

ChannelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,31}$")]


class TelegramConfig(CollectorConfig):
    """How to read public channels of Telegram. Seconds are real seconds; hours are hours of the items' age."""

    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1, max_length=200)]
    """Names of the public channels to read, as in t.me/NAME. There is no default: you choose them."""
    base_url: HttpUrl = HttpUrl("https://t.me")
    """Where the preview pages are; ``/s/NAME`` is appended."""
    requests_per_minute: Positive = 20.0
    """At most this many requests in any minute. Telegram states no limit."""
    poll_seconds: Positive = 30.0
    """How often to read the newest page of each channel."""
    reobserve_seconds: Positive = 600.0
    """How often to read older pages of each channel again, for their views and for deletions."""
    reobserve_max_pages: Annotated[int, Field(ge=1, le=20)] = 3
    """At most this many pages are read again at a time; a page has about 20 messages."""
    backfill_hours: Annotated[float, Field(ge=0)] = 6.0
    """How far to reach back at the first start."""
    catch_up_max_pages: Whole = 20
    """At most this many pages are read in a poll; with more new messages, there is a gap."""
    watch_max_items: Annotated[int, Field(ge=1, le=1_000)] = 200
    """At most this many messages of a channel are tracked: their counts, and whether they are deleted."""
    watch_hours: Positive = 72.0
    """Up to which age messages are tracked."""
