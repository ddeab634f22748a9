"""Options of the Hacker News collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Literal

from pydantic import Field, HttpUrl

from ingest.collector import CollectorConfig, Positive, Whole

FrontPageList = Literal["top", "new", "best", "ask", "show", "job"]


class HackerNewsConfig(CollectorConfig):
    """How to collect from Hacker News. Seconds are real seconds; hours are hours of the items' age."""

    base_url: HttpUrl = HttpUrl("https://hacker-news.firebaseio.com")
    """Where the API is; ``/v0/…`` is appended."""
    requests_per_minute: Positive = 1200.0
    """At most this many requests in any minute. The platform has no limit; an item is a request."""
    max_concurrent_requests: Whole = 16
    """At most this many requests at the same time."""
    poll_seconds: Positive = 5.0
    """How often to ask for new items."""
    updates_seconds: Positive = 30.0
    """How often to ask which items have changed."""
    front_page_seconds: Positive = 60.0
    """How often to poll the front page."""
    front_page_lists: Annotated[tuple[FrontPageList, ...], Field(min_length=1)] = ("top",)
    """Which front pages to poll. ``best`` has the loudest stories of some days; ``ask`` and ``show`` are quieter."""
    front_page_items: Annotated[int, Field(ge=0, le=500)] = 30
    """How many stories of each front page to poll."""
    reobserve_seconds: Positive = 5.0
    """How often to check which tracked stories are due."""
    reobserve_max_items: Whole = 50
    """At most this many tracked stories are polled at a time."""
    backfill_items: Annotated[int, Field(ge=0)] = 500
    """How many of the latest items to read at the first start."""
    backfill_hours: Annotated[float, Field(ge=0, le=720)] = 0.0
    """How many more hours to read at the first start, from Algolia's index of the site: 1 000 items a request."""
    algolia_url: HttpUrl = HttpUrl("https://hn.algolia.com")
    """Where that index is."""
    catch_up_max_items: Whole = 50_000
    """How many items to catch up on after an outage; older ones are skipped and counted as a gap."""
    batch_max_items: Whole = 200
    """At most this many new items are read at a time."""
    watch_max_items: Whole = 2_000
    """At most this many stories are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age stories are tracked, and for how long the story of a comment is cached."""
    missing_retry_seconds: Positive = 10.0
    """How long to wait before asking again for an item that is announced but not given yet."""
    missing_max_tries: Whole = 6
    """How often to ask for such an item before going on without it."""
