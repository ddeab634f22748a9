"""Options of the Lemmy collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints

from ingest.collector import CollectorConfig, Positive, Whole

InstanceUrl = Annotated[str, AfterValidator(lambda url: str(HttpUrl(url)))]
CommunityName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,100}@[A-Za-z0-9.-]{1,250}(:\d{1,5})?$")]

DEFAULT_INSTANCES = (
    "https://lemmy.world",  # the largest; it federates with nearly all others
    "https://programming.dev",
    "https://lemmy.dbzer0.com",  # home of communities on generative models
)


class LemmyConfig(CollectorConfig):
    """How to collect from Lemmy. Seconds are real seconds; hours are hours of the items' age."""

    instances: Annotated[tuple[InstanceUrl, ...], Field(min_length=1, max_length=20)] = DEFAULT_INSTANCES
    """The servers to ask. Each also shows what it receives from others; a post that several show is one post."""
    listing: Literal["All", "Local"] = "All"
    """``All``: everything that an instance shows. ``Local``: only the communities that are at home there."""
    communities: Annotated[tuple[CommunityName, ...], Field(max_length=50)] = ()
    """Communities to collect from, such as ``technology@lemmy.world``. Empty: all that ``listing`` has."""
    requests_per_minute: Positive = 60.0
    """At most this many requests in any minute, to all instances together. By default an instance allows 180."""
    posts_poll_seconds: Positive = 30.0
    """How often to ask each instance for new posts."""
    comments: bool = True
    """Whether to collect comments."""
    comments_poll_seconds: Positive = 20.0
    """How often to ask each instance for new comments."""
    discussed_poll_seconds: Positive = 60.0
    """How often to ask for the posts that were commented on last: their counts grow."""
    hot_poll_seconds: Positive = 120.0
    """How often to ask for the posts that rank highest: their votes grow."""
    full_scan_seconds: Positive = 600.0
    """How often to read new posts and comments beyond what is known. Items of other instances arrive late."""
    full_scan_pages: Annotated[int, Field(ge=1, le=20)] = 3
    """How many pages of 50 a full scan reads."""
    listing_max_pages: Annotated[int, Field(ge=1, le=100)] = 20
    """At most this many pages of 50 are read after an outage; what is older is missed and counted as a gap."""
    backfill_hours: Annotated[float, Field(ge=0)] = 1.0
    """How far back to read at the first start."""
    reobserve_seconds: Positive = 5.0
    """How often to ask for a tracked post that no listing shows any more. Each is a request."""
    members_seconds: Positive = 10.0
    """How often to ask for the size of one more community. Lemmy 1.0 states it with each post."""
    members_hours: Positive = 24.0
    """How long a size of a community is used before it is asked for again."""
    watch_max_items: Whole = 1_000
    """At most this many posts are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age posts are tracked."""
