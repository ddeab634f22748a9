"""News: articles of the feeds (RSS, Atom, JSON Feed) of news sites, laboratories and blogs. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.news.config import NewsConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: NewsConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.news.collector import NewsCollector  # noqa: PLC0415 (only who collects needs it)

    return NewsCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name="news",
    display_name="News",
    config=NewsConfig,
    make=_make,
    needs="nothing; a list of feeds on AI comes with it",
    gives="articles of news sites, laboratories, blogs and arXiv: title, teaser, link, author, date; no counts",
    needs_account=False,
    rate_limit="set by each site; a feed is polled every 2 to 30 minutes, and less often if its server asks for that",
    terms="Publishers offer feeds for readers. Title and teaser are kept and link to the article, which is not copied.",
    terms_url="https://www.rssboard.org/rss-specification",
    capabilities=frozenset[Capability](),
)
