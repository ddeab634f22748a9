"""Hacker News: every new item, through its public API. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.hackernews.config import HackerNewsConfig
from ingest.platforms.hackernews.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: HackerNewsConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.hackernews.collector import HackerNewsCollector  # noqa: PLC0415 (only who collects needs it)

    return HackerNewsCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Hacker News",
    config=HackerNewsConfig,
    make=_make,
    needs="nothing",
    gives="stories, jobs, polls and comments, with points and numbers of comments as they grow",
    needs_account=False,
    rate_limit="no limit; each item is a request",
    terms="A public API of the site itself, without a key.",
    terms_url="https://github.com/HackerNews/API",
    capabilities=frozenset({Capability.REPLIES, Capability.GROWING_COUNTS, Capability.DELETIONS}),
    loud_interactions=3_000.0,
    views_per_like=40.0,
)
