"""Options of the Hacker News collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, HttpUrl

from ingest.collector import CollectorConfig, Positive

__all__ = ["HackerNewsConfig"]

Whole = Annotated[int, Field(ge=1)]


class HackerNewsConfig(CollectorConfig):
    """How to collect from Hacker News. Seconds are real seconds; hours are hours of the items' age."""

    base_url: HttpUrl = HttpUrl("https://hacker-news.firebaseio.com")
    """Where the interface is; ``/v0/…`` is appended."""
    requests_per_minute: Positive = 1200.0
    """At most this many requests in any minute. The platform states no limit; an item is a request."""
    max_concurrent_requests: Whole = 16
    """At most this many requests at the same time."""
    poll_seconds: Positive = 5.0
    """How often to ask for new items."""
    updates_seconds: Positive = 30.0
    """How often to ask which items have changed."""
    front_page_seconds: Positive = 60.0
    """How often to look at the front page again."""
    front_page_items: Annotated[int, Field(ge=0, le=500)] = 30
    """How many stories of the front page to look at."""
    reobserve_seconds: Positive = 5.0
    """How often to look whether known stories are due to be looked at again."""
    reobserve_max_items: Whole = 50
    """At most this many stories are looked at again at a time."""
    backfill_items: Annotated[int, Field(ge=0)] = 500
    """How many of the latest items to read at the very first start."""
    catch_up_max_items: Whole = 50_000
    """How far behind the newest item to go on from; after a longer outage the items before are given up as a gap."""
    batch_max_items: Whole = 200
    """At most this many new items are read at a time."""
    watch_max_items: Whole = 2_000
    """At most this many stories are looked at again and again."""
    watch_hours: Positive = 72.0
    """Up to which age stories are looked at again, and for how long it is remembered which story a comment is in."""
    missing_retry_seconds: Positive = 10.0
    """How long to wait before asking again for an item that the platform has announced but does not give yet."""
    missing_max_tries: Whole = 6
    """How often to ask for an item before doing without it."""
