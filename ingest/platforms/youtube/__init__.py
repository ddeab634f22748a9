"""YouTube: new videos of chosen channels and their comments. Needs an API key."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.memory.allowance import BudgetLine
from ingest.platforms.youtube.config import YouTubeConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: YouTubeConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.youtube.collector import YouTubeCollector  # noqa: PLC0415 (only who collects needs it)

    return YouTubeCollector(config, cursor, context)


def _budget(config: YouTubeConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    from ingest.platforms.youtube.cursor import budget  # noqa: PLC0415 (only who asks for it needs it)

    return budget(config, cursor, now_ms)


SPEC: Final = PlatformSpec(
    name="youtube",
    display_name="YouTube",
    config=YouTubeConfig,
    make=_make,
    budget=_budget,
    needs="api_key of the YouTube Data API v3, which Google gives without charge",
    gives="new videos of chosen channels with their subscribers, and comments; views, likes and numbers of comments as"
    " they grow",
    needs_account=True,
    rate_limit="10 000 units a day for each key; 50 videos or 100 comments cost one, feeds nothing",
    terms="Raw counts may be kept for 30 days; set the retention of the topic signals and of the archive accordingly.",
    terms_url="https://developers.google.com/youtube/terms/developer-policies",
    capabilities=frozenset(
        {Capability.REPLIES, Capability.GROWING_COUNTS, Capability.MEMBERS, Capability.DELETIONS, Capability.VIEWS}
    ),
    loud_interactions=200_000.0,
    views_per_like=30.0,
)
