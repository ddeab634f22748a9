"""Values of platforms as a signal wants them: counts, texts and times, and the signal of an item that is gone.

Owns what all platforms share in this. Must never know a platform, nor a clock.
"""

from datetime import UTC, datetime
from typing import Literal

from ingest.batch import well_formed
from ingest.signal import LIKELY_MS, Community, Counts, Signal


def count_of(number: int | None) -> int | None:
    """Return a count that is not below 0; None is unknown. One that is too large is for readers to refuse.

    >>> count_of(-3), count_of(12), count_of(None)
    (0, 12, None)
    """
    return None if number is None else max(0, number)


def text_of(text: str | None) -> str | None:
    """Return a text that UTF-8 can carry; None if it is empty."""
    return well_formed(text) if text else None


def utc_ms(written: str) -> int:
    """Return an ISO 8601 time as UTC epoch milliseconds; one without a zone is UTC.

    >>> utc_ms("2026-01-01T00:00:00"), utc_ms("2026-01-01T01:00:00+01:00")
    (1767225600000, 1767225600000)

    Raises:
        ValueError: it is no time.
        OverflowError: it is too far away.
    """
    return epoch_ms(datetime.fromisoformat(written))


def epoch_ms(at: datetime) -> int:
    """Return a time as UTC epoch milliseconds; one without a zone is UTC."""
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)


def clamped_ms(created_ms: int, witnessed_ms: int) -> int:
    """Return when an item was created. A little ahead is a matter of clocks; far ahead is false, and rejected later."""
    return created_ms if created_ms > witnessed_ms + LIKELY_MS else min(created_ms, witnessed_ms)


def taken_back(
    id_: str,
    thread: str,
    created_ms: int,
    witnessed_ms: int,
    *,
    kind: Literal["post", "reply", "repost"] | None = None,
    community: Community | None = None,
    counts: Counts = Counts(),  # noqa: B008 (it cannot be changed)
) -> Signal:
    """Return the last observation of an item that its platform no longer gives: no words, and the last ``counts``.

    ``kind``: none: a post if it is its own ``thread``, else a reply.
    """
    return Signal(
        id=id_,
        kind=kind or ("post" if id_ == thread else "reply"),
        platform=id_.partition(":")[0],
        thread=thread,
        community=community,
        counts=counts,
        created_ms=min(created_ms, witnessed_ms),
        observed_ms=witnessed_ms,
        deleted=True,
    )
