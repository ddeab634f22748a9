"""What Stack Exchange answers: the wrapper around items, and its errors.

Owns their form (https://api.stackexchange.com/docs/wrapper, …/docs/error-handling). Must never know what an item means.
"""

import json
import re
from typing import Final, NamedTuple

from ingest.errors import CollectError, error_for_status
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import Response

BAD_PARAMETER: Final = 400
BAD_KEY: Final = frozenset({401, 402, 403, 405, 406})
THROTTLED: Final = 502
UNAVAILABLE: Final = 503
THROTTLE_SECONDS: Final = 120.0
"""Pause after a throttle violation that names no time; bans last for 30 s to a few minutes."""
DAY_SECONDS: Final = 86_400.0
"""Longest pause. A quota renews within a day."""
_seconds = re.compile(r"\bin (\d{1,9}) seconds?\b")


class Wrapper(NamedTuple):
    """One answer. ``backoff_seconds``: for how long the method must not be asked again; 0: at once.

    ``quota_left``: how many requests the address may still send; None if it does not say.
    """

    items: list[object]
    has_more: bool
    backoff_seconds: float
    quota_left: int | None
    witnessed_ms: int


def wrapper(body: bytes, what: str, witnessed_ms: int) -> Wrapper:
    """Return the parsed answer. ``what``: what was asked for; the message names it.

    Raises:
        CollectError: it is no answer, or an error that comes with status 200.
    """
    found = _json_object(body)
    if found is None:
        raise RetryLaterError(f"{what} is not JSON: {body[:80]!r}")
    if (error := _explained(found, what)) is not None:
        raise error
    items = found.get("items")
    if not isinstance(items, list):
        raise RetryLaterError(f"{what} has no items: {body[:80]!r}")
    backoff, left = found.get("backoff"), found.get("quota_remaining")
    return Wrapper(
        items,
        found.get("has_more") is True,
        min(float(backoff), DAY_SECONDS) if type(backoff) is int and 0 < backoff < DAY_SECONDS * 1000 else 0.0,
        left if type(left) is int else None,
        witnessed_ms,
    )


def refusal(response: Response, what: str) -> CollectError | None:
    """Return the error for a response. Stack Exchange explains its errors in the body, most with status 400."""
    error = error_for_status(response.status, response.headers, what)
    if error is None or isinstance(error, SlowDownError):
        return error
    found = _json_object(response.body)
    return error if found is None else _explained(found, what) or error


def _explained(found: dict[str, object], what: str) -> CollectError | None:
    """Return the error that a wrapper describes; None if it describes none."""
    number, said = found.get("error_id"), str(found.get("error_message", ""))[:200]
    if type(number) is not int:
        return None
    message = f"{what}: {str(found.get('error_name', 'error'))[:50]}: {said}".replace("\n", " ")
    if number == THROTTLED:
        named = _seconds.search(said)
        return SlowDownError(message, min(float(named[1]), DAY_SECONDS) if named else THROTTLE_SECONDS)
    if number in BAD_KEY:
        return UserError(f"{message}. Check the option key")
    if number == BAD_PARAMETER:
        return UserError(f"{message}. Check the options sites and key")
    return RetryLaterError(message)


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
