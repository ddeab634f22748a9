"""X: posts of chosen queries, through its paid API, within a budget. Needs a bearer token."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.memory.allowance import BudgetLine
from ingest.platforms.x.config import XConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: XConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.x.collector import XCollector  # noqa: PLC0415 (only who collects needs it)

    return XCollector(config, cursor, context)


def _budget(config: XConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    from ingest.platforms.x.cursor import budget  # noqa: PLC0415 (only who asks for it needs it)

    return budget(config, cursor, now_ms)


SPEC: Final = PlatformSpec(
    name="x",
    display_name="X",
    config=XConfig,
    make=_make,
    budget=_budget,
    needs="bearer_token of an app with credits; X charges for every post and author that it gives",
    gives="posts, replies and reposts of chosen queries, with likes, replies, shares and views as they grow, within"
    " posts_per_day, posts_per_month and usd_per_month",
    needs_account=True,
    rate_limit="450 searches in 15 minutes, one stream, 2 000 000 posts a month",
    terms="Posts that X no longer shows must not be shown; the developer agreement limits what may be passed on.",
    terms_url="https://developer.x.com/en/developer-terms/agreement-and-policy",
    capabilities=frozenset(
        {
            Capability.REPLIES,
            Capability.GROWING_COUNTS,
            Capability.DELETIONS,
            Capability.REPOSTS,
            Capability.VIEWS,
            Capability.FOLLOWERS,
        }
    ),
    loud_interactions=200_000.0,
    views_per_like=100.0,
)
