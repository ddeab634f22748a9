"""Telegram: the public preview pages of channels that the operator chooses. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.telegram.config import TelegramConfig
from ingest.platforms.telegram.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: TelegramConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.telegram.collector import TelegramCollector  # noqa: PLC0415 (only who collects needs it)

    return TelegramCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Telegram",
    config=TelegramConfig,
    make=_make,
    needs="channels: the names of public channels that you choose; no account",
    gives="messages of the chosen channels, with views, reactions and subscribers as they grow, forwards and deletions",
    needs_account=True,  # not an account, but its channels: it reads none by default
    rate_limit="none is stated; 20 pages a minute by default",
    terms="The preview pages are public. Its terms have no rule for reading them: read few channels, and slowly.",
    terms_url="https://telegram.org/tos",
    capabilities=frozenset(
        {
            Capability.DELETIONS,
            Capability.FOLLOWERS,
            Capability.GROWING_COUNTS,
            Capability.MEMBERS,
            Capability.REPOSTS,
            Capability.VIEWS,
        }
    ),
)
