"""GDELT: the news pages of the world as one project sees them, every 15 minutes. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.gdelt.config import GdeltConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: GdeltConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.gdelt.collector import GdeltCollector  # noqa: PLC0415 (only who collects needs it)

    return GdeltCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name="gdelt",
    display_name="GDELT",
    config=GdeltConfig,
    make=_make,
    needs="nothing",
    gives="pages of news sites worldwide that a watched beat wants: title, link, site, date; no counts, no texts",
    needs_account=False,
    rate_limit="files: none, a file of some 5 MB every 15 minutes; search: one request in 5 seconds",
    terms="Free for any use, with a mention of GDELT and a link to it.",
    terms_url="https://www.gdeltproject.org/about.html#termsofuse",
    capabilities=frozenset[Capability](),
)
