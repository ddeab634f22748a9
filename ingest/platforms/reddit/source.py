"""Where Reddit's things come from: what the collector asks of the API client and of the feeds alike.

Owns the form of a page, and what Reddit says of the requests that remain. Must never know what a thing means.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from transport.errors import RetryLaterError
from transport.http import MAX_RETRY_AFTER_SECONDS

PAGE_ITEMS: Final = 100
"""Most things on a page of a listing, and most that one request gives by name."""
THREAD_ITEMS: Final = 500
"""Most comments that one request gives of a thread."""
REACH: Final = 1_000
"""How many things Reddit's listings reach back."""
RATE_LIMIT_HEADERS: Final = ("X-Ratelimit-Remaining", "X-Ratelimit-Used", "X-Ratelimit-Reset")

ListingName = Literal["submissions", "comments"]


@dataclass(frozen=True, slots=True)
class Page:
    """Things in Reddit's order. ``after``: where the next page begins, None at the end. ``witnessed_ms``: arrival."""

    things: tuple[object, ...]
    after: str | None
    witnessed_ms: int


class Source(Protocol):
    """One way to Reddit. Every method raises ``CollectError`` when it gets no usable answer.

    ``has_counts``: whether things have counts, and :meth:`info` and :meth:`thread` give single ones.
    """

    has_counts: bool

    async def listing(self, name: ListingName, after: str | None) -> Page:
        """Return the page of a listing that begins after the thing ``after``, newest first."""

    async def info(self, fullnames: Sequence[str]) -> Page:
        """Return up to 100 things as they are now."""

    async def thread(self, fullname: str) -> Page:
        """Return a post and its newest comments, up to ``THREAD_ITEMS``."""

    async def close(self) -> None:
        """Close connections and end threads."""


def allowance(headers: Mapping[str, str]) -> tuple[float, float | None]:
    """Return how many requests remain, and for how many seconds; infinity and None if the headers are missing.

    >>> allowance({"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Used": "1", "X-Ratelimit-Reset": "57"})
    (0.0, 57.0)

    Raises:
        RetryLaterError: the headers hold no numbers.
    """
    try:
        remaining, _, reset = (float(headers.get(name, "nan")) for name in RATE_LIMIT_HEADERS)
    except ValueError:
        raise RetryLaterError("the rate-limit headers hold no numbers; is this Reddit?") from None
    return (
        math.inf if math.isnan(remaining) else remaining,
        min(max(0.0, reset), MAX_RETRY_AFTER_SECONDS) if math.isfinite(reset) else None,
    )
