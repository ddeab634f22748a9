"""Stack Exchange: questions of chosen sites and tags, with their answers and comments. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.memory.allowance import BudgetLine
from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: StackExchangeConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.stackexchange import collector  # noqa: PLC0415 (only who collects needs it)

    return collector.StackExchangeCollector(config, cursor, context)


def _budget(config: StackExchangeConfig, cursor: Cursor | None, now_ms: int) -> list[BudgetLine]:
    from ingest.platforms.stackexchange.cursor import budget  # noqa: PLC0415 (only who asks for it needs it)

    return budget(config, cursor, now_ms)


SPEC: Final = PlatformSpec(
    name="stackexchange",
    display_name="Stack Exchange",
    config=StackExchangeConfig,
    make=_make,
    budget=_budget,
    needs="nothing; with a key it may ask more often",
    gives="questions of chosen sites and tags, with answers and comments; score, views and numbers of replies as they "
    "grow",
    needs_account=False,
    rate_limit="300 requests in 24 hours for each address without a key, 10 000 with one; each shows 100 questions",
    terms="A public API. Content is under CC BY-SA: who shows it names its author and links to it.",
    terms_url="https://stackoverflow.com/legal/api-terms-of-use",
    capabilities=frozenset({Capability.REPLIES, Capability.GROWING_COUNTS, Capability.DELETIONS, Capability.VIEWS}),
)
