"""Verdicts: what to do next after a failure at a platform.

Owns the exceptions that collectors raise and the one loop obeys, grouped by what to do and not by what went wrong:

    CollectError
    ├── RetryLaterError   the platform, or the way to it, is ill: wait, longer each time, and ask again
    ├── SlowDownError     we ask too much: ask nothing at all for as long as it says
    ├── NeverRetryError   this one item will never come: do without it
    └── GiveUpError       nobody but the operator can mend it (credentials): end this collector and say so

Must never know a platform's protocol beyond HTTP's status codes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

__all__ = [
    "LONGEST_HOLD_SECONDS",
    "CollectError",
    "GiveUpError",
    "NeverRetryError",
    "RetryLaterError",
    "SlowDownError",
    "retry_after_seconds",
    "verdict_on",
]

LONGEST_HOLD_SECONDS = 3600.0
"""A platform that says "come back tomorrow" is asked again in an hour all the same."""


class CollectError(Exception):
    """A failure to collect; the message is one line for the operator. ``verdict`` is the label of a metric."""

    verdict = "unexpected"


class RetryLaterError(CollectError):
    """The platform, or the way to it, is ill."""

    verdict = "retry_later"


class SlowDownError(CollectError):
    """We ask too much. ``after_seconds``: when we may ask again, None if the platform does not say."""

    verdict = "slow_down"

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class NeverRetryError(CollectError):
    """This one item will never come."""

    verdict = "never_retry"


class GiveUpError(CollectError):
    """Only the operator can mend it; the message says how."""

    verdict = "give_up"


def verdict_on(status: int, headers: Mapping[str, str], what: str) -> CollectError | None:
    """Return what to do about an HTTP response (RFC 9110, section 15), or None if it is a success.

    ``headers``: its headers, found in any letter case. ``what``: what was asked for, named in the message.
    """
    if 200 <= status < 300:
        return None
    message = f"{what} answered with HTTP status {status}"
    after_seconds = retry_after_seconds(headers)
    if status == 429 or (status == 503 and after_seconds is not None):
        return SlowDownError(message, after_seconds)
    if status == 401:
        return GiveUpError(f"{message}: check the credentials")
    if status in {404, 410, 414} or 300 <= status < 400:  # redirects are not followed: they would take data along
        return NeverRetryError(message)
    return RetryLaterError(message)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait that ``Retry-After`` asks for (RFC 9110, section 10.2.3), None if it asks for none.

    At least 0, at most an hour. A date is held against the response's own ``Date``, so that no clock is needed.
    """
    header = headers.get("Retry-After")
    if header is None:
        return None
    try:
        seconds = float(header)
        if not math.isfinite(seconds):
            return None
    except ValueError:
        try:
            until, sent = (parsedate_to_datetime(text) for text in (header, headers.get("Date", "")))
            seconds = (until - sent).total_seconds()
        except (TypeError, ValueError):  # not dates, or only one of them knows its time zone
            return None
    return min(max(seconds, 0.0), LONGEST_HOLD_SECONDS)
