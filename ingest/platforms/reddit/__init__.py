"""Reddit: new posts and comments of chosen communities, through PRAW. Needs an approved API client."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: RedditConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.reddit.collector import RedditCollector  # noqa: PLC0415 (praw takes long to load)

    return RedditCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Reddit",
    config=RedditConfig,
    make=_make,
    needs="client_id and client_secret of an API client that Reddit has approved (since November 2025 it gives no new"
    " key without approval; earlier keys go on working)",
    gives="new posts and comments of chosen communities, with scores, numbers of comments and vote ratios as they grow",
    needs_account=True,
    rate_limit="100 requests a minute for each API client",
    terms="An API key needs Reddit's approval; the Data API terms forbid matching redditors to people elsewhere.",
    terms_url="https://www.redditinc.com/policies/data-api-terms",
    capabilities=frozenset(Capability) - {Capability.REPOSTS, Capability.VIEWS, Capability.FOLLOWERS},
    loud_interactions=50_000.0,
    views_per_like=50.0,
)
