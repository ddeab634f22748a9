"""Bluesky: what people say about the watched beats, through Jetstream. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.bluesky.addresses import PLATFORM
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: BlueskyConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.bluesky.collector import BlueskyCollector  # noqa: PLC0415 (only who collects needs it)

    return BlueskyCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Bluesky",
    config=BlueskyConfig,
    make=_make,
    needs="nothing",
    gives="posts that a watched beat wants, with their replies, quotes and reposts; counts as they grow; deletions",
    needs_account=False,
    rate_limit="3000 requests in 5 minutes for each address; the stream has no limit",
    terms="Public data of an open network. Deletions must be honoured, and are.",
    terms_url="https://docs.bsky.app/docs/support/developer-guidelines",
    capabilities=frozenset(
        {Capability.REPLIES, Capability.REPOSTS, Capability.GROWING_COUNTS, Capability.DELETIONS, Capability.FOLLOWERS}
    ),
    loud_interactions=30_000.0,
    views_per_like=40.0,
)
