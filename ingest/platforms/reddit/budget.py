"""The request budget: how often and how deep each listing is read, with so many requests a minute.

Owns the shares of posts, re-observation and comments, by value. Pure. Must never know what a request asks for.

The order of value: a post can begin a story, and nothing else shows it. A request that observes 100 posts again counts
all their comments, also those that were missed. Comments come last; they get what remains, and always some.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ingest.platforms.reddit.source import PAGE_ITEMS, REACH

RESERVED_SHARE: Final = 0.1
"""Of the budget, for each need that comes after the one that is served."""
OVERLAP_ITEMS: Final = 30
"""Known things that a poll expects at its end: proof that it missed none."""
FRESH_SHARE: Final = 0.25
"""Most of the budget that is spent to read posts sooner than is needed to miss none."""
REOBSERVE_SHARE: Final = 0.1
"""Most of the budget for things asked for by name, when there is too little for everything."""
OVERBOOKING: Final = 1.1
"""Of the share of the last listing: the others rarely take all of theirs."""
MARGIN: Final = 1.15
"""Requests for a listing, as a multiple of its new things' pages: its last page is never full."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Read a listing every ``seconds``, back to what is known and at most ``pages`` deep."""

    seconds: float
    pages: int


def pages_needed(per_second: float) -> float:
    """Return the requests a minute that read all new things of a listing."""
    return MARGIN * 60 * per_second / PAGE_ITEMS


def fresh_pages_needed(per_second: float, poll_seconds: float, requests_per_minute: float) -> float:
    """Return the same for the most valuable listing: it is also read soon, for a quarter of the requests at most."""
    return max(pages_needed(per_second), min(60 / poll_seconds, FRESH_SHARE * requests_per_minute))


def shares(requests_per_minute: float, needs: Mapping[str, float]) -> dict[str, float]:
    """Return the requests a minute for each of ``needs``, which are in order of value. The rest is shared out evenly.

    >>> shares(100, {"submissions": 35, "reobserve": 5, "comments": 345})
    {'submissions': 35, 'reobserve': 5, 'comments': 60.0}
    >>> shares(6, {"submissions": 1.0, "comments": 1.0})
    {'submissions': 3.0, 'comments': 3.0}
    """
    left = requests_per_minute
    granted: dict[str, float] = {}
    for after, (name, need) in zip(range(len(needs) - 1, -1, -1), needs.items(), strict=True):
        granted[name] = min(need, left - after * RESERVED_SHARE * requests_per_minute)
        left -= granted[name]
    return {name: share + left / len(needs) for name, share in granted.items()} if left > 0 else granted


def plan(
    per_second: float,
    poll_seconds: float,
    requests_per_minute: float,
    *,
    max_pages: int,
    request_seconds: float,
    takes_the_rest: bool = False,
) -> Plan:
    """Return how to read a listing that shows ``per_second`` new things a second.

    It is read no more often than every ``poll_seconds``. With enough requests everything is read. With fewer, each
    request reads the newest page. ``request_seconds``: how far apart requests are. Meanwhile the listing moves on, so a
    page too deep has left it before it is asked for. ``takes_the_rest``: whether this listing is the last one in the
    order of value, so that with too few requests it takes what the others leave.
    """
    reachable = int(REACH / (PAGE_ITEMS + per_second * request_seconds))
    for pages in range(1, min(max_pages, reachable) + 1):
        seconds = max(poll_seconds, 60 * pages / requests_per_minute)
        if per_second * seconds <= PAGE_ITEMS * pages - OVERLAP_ITEMS:
            return Plan(seconds, max_pages)
    if takes_the_rest:
        return Plan(max(60 / (OVERBOOKING * requests_per_minute), PAGE_ITEMS / per_second), 1)
    return Plan(60 / requests_per_minute, 1)


def turnover_seconds(per_second: float) -> float:
    """Return how long a listing takes to show only new things."""
    return REACH / per_second if per_second > 0 else math.inf
