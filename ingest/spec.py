"""A platform's declaration: everything that the rest of Hubbub knows of it.

Owns its form. Settings, documentation, ``hubbub doctor``, the names on the page and the constants of scoring are made
from the specs in :mod:`ingest.registry`. Must never know a platform.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorConfig, CollectorContext
from ingest.memory.allowance import BudgetLine

ConfigT = TypeVar("ConfigT", bound=CollectorConfig)


class Capability(StrEnum):
    """What a platform lets a collector observe."""

    REPLIES = "replies"
    GROWING_COUNTS = "growing counts"
    LIKE_RATIO = "like ratio"
    MEMBERS = "members of communities"
    DELETIONS = "deletions"
    REPOSTS = "reposts"
    VIEWS = "views"
    FOLLOWERS = "followers of authors"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSpec(Generic[ConfigT]):
    """One platform. Its folder in ``ingest/platforms/`` exports it as ``SPEC``.

    ``name``: in ids, settings and topics; the name of the folder. ``display_name``: for people.
    ``config``: its options, the table ``[collect.NAME]``. ``make(config, cursor, context)`` returns a collector that
    goes on from ``cursor`` (None: the first start); it opens no connection yet.
    ``needs``: what the operator must have. ``gives``: what arrives as signals. ``needs_account``: whether its config
    has options without a default, so that it is collected only when they are set.
    ``rate_limit``: what the platform allows. ``terms``, ``terms_url``: what its terms of use say about collecting.
    ``loud_interactions``: interactions of a very loud story, an engagement of 100. ``views_per_like``: people who saw
    an item for each who liked it. None: scoring takes its value for other platforms.
    ``is_running(config)``: of a collector that listens, whether one answers on its port already.
    ``budget(config, cursor, now_ms)``: what is spent, by the saved cursor, where requests cost money or a daily quota.
    """

    name: str
    display_name: str
    config: type[ConfigT]
    make: Callable[[ConfigT, Cursor | None, CollectorContext], Collector]
    needs: str
    gives: str
    needs_account: bool
    rate_limit: str
    terms: str
    terms_url: str
    capabilities: frozenset[Capability]
    loud_interactions: float | None = None
    views_per_like: float | None = None
    is_running: Callable[[ConfigT], Awaitable[bool]] | None = None
    budget: Callable[[ConfigT, Cursor | None, int], Sequence[BudgetLine]] | None = None
