"""Reddit: new posts and comments of chosen communities. Its API, through PRAW, needs a key; its feeds need none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

if TYPE_CHECKING:  # it loads an HTTP client
    from ingest.platforms.reddit.source import Source

__all__ = ["SPEC"]


def _make(config: RedditConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.reddit.collector import RedditCollector  # noqa: PLC0415 (only who collects needs it)

    return RedditCollector(config, cursor, context, _source(config, context))


def _source(config: RedditConfig, context: CollectorContext) -> Source:
    if config.client_id is None:
        from ingest.platforms.reddit.feeds.client import FeedClient  # noqa: PLC0415 (feedparser takes long to load)

        return FeedClient(config, context)
    from ingest.platforms.reddit.client import RedditClient  # noqa: PLC0415 (praw takes long to load)

    return RedditClient(config, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Reddit",
    config=RedditConfig,
    make=_make,
    needs="nothing for the public feeds, which have no counts; for counts client_id and client_secret of an API client"
    " that Reddit has approved (since November 2025 it gives no new key without approval; earlier keys go on working)",
    gives="new posts and comments of chosen communities; with a key also scores, numbers of comments and vote ratios as"
    " they grow, and members of communities",
    needs_account=False,
    rate_limit="with a key 100 requests a minute for each API client; without one some requests a minute for each"
    " address: Reddit says how many remain, and Hubbub obeys",
    terms="An API key needs Reddit's approval; the Data API terms forbid matching redditors to people elsewhere.",
    terms_url="https://www.redditinc.com/policies/data-api-terms",
    capabilities=frozenset(Capability) - {Capability.REPOSTS, Capability.VIEWS, Capability.FOLLOWERS},
    loud_interactions=50_000.0,
    views_per_like=50.0,
)
