"""Options of the Bluesky collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Self

from pydantic import Field, HttpUrl, model_validator

from ingest.collector import CollectorConfig, Positive, Whole

StreamUrl = Annotated[str, Field(pattern=r"^(wss?|https?)://[^\s/?#]+/?$")]


class BlueskyConfig(CollectorConfig):
    """How to collect from Bluesky. Seconds are real seconds; minutes and hours are of the items' time."""

    hosts: tuple[StreamUrl, ...] = ("wss://jetstream.us-east.bsky.network", "wss://jetstream.us-west.bsky.network")
    """Jetstream hosts that speak the second wire, the preferred one first."""
    v1_hosts: tuple[StreamUrl, ...] = ("wss://jetstream1.us-east.bsky.network", "wss://jetstream2.us-west.bsky.network")
    """Hosts that speak the first wire; they are used when no host above answers."""
    appview_url: HttpUrl = HttpUrl("https://public.api.bsky.app")
    """Where counts and profiles are."""
    requests_per_minute: Positive = 300.0
    """At most this many requests in any minute. The platform allows 600 for each address."""
    batch_seconds: Positive = 0.5
    """How often what came is published."""
    batch_max_items: Whole = 500
    """At most this many events are read at a time: if all are relevant, they take some 30 ms."""
    silence_seconds: Positive = 30.0
    """A host that sends nothing for this long is given up; the network is never silent."""
    stale_minutes: Positive = 5.0
    """A host that is further behind than this, and does not catch up, is given up."""
    backfill_minutes: Annotated[float, Field(ge=0)] = 60.0
    """How far back to begin at the first start."""
    catch_up_hours: Positive = 24.0
    """How far to go back after an outage; what is older is skipped and counted as a gap."""
    rewind_minutes: Positive = 3.0
    """How far to go back on a change of host, since hosts give the same events in another order."""
    early_reply_seconds: Positive = 60.0
    """How long a reply waits for the root post of its thread. resolve waits as long by default."""
    early_reply_max_items: Whole = 20_000
    """At most this many replies wait."""
    threads_max: Whole = 200_000
    """Of how many threads that passed replies are published, the latest."""
    deletable_max_items: Whole = 50_000
    """Of how many published items a deletion is passed on, the latest. Root posts are known for longer."""
    reobserve_seconds: Positive = 5.0
    """How often to check which tracked posts are due."""
    reobserve_max_items: Whole = 100
    """At most this many tracked posts are polled at a time, 25 in each request."""
    watch_max_items: Whole = 2_000
    """At most this many posts are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age posts are tracked."""
    profiles_seconds: Positive = 5.0
    """How often to ask for the profiles of authors, 25 in each request."""
    profile_hours: Positive = 24.0
    """How long a profile is kept."""
    save_seconds: Positive = 20.0
    """How often the cursor moves on. It has up to 250 kB; what came after it is read again after a crash."""

    @model_validator(mode="after")
    def _has_a_host(self) -> Self:
        if not self.hosts and not self.v1_hosts:
            raise ValueError("hosts and v1_hosts are both empty; name a Jetstream host, or leave them out")
        return self
