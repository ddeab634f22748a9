"""What YouTube's responses mean: lists of resources, and refusals with a reason.

Owns the forms of https://developers.google.com/youtube/v3/docs/errors. Pure. Must never ask, nor know what a resource
means.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from ingest.errors import CollectError
from ingest.http import Answer, refusal_by_status
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError, UserError
from transport.http import Response

QUOTA: Final = frozenset({"quotaExceeded", "dailyLimitExceeded"})
TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
NOT_HERE: Final = frozenset({"commentsDisabled", "videoNotFound"})
KEY: Final = frozenset(
    {"keyInvalid", "keyExpired", "API_KEY_INVALID", "accessNotConfigured", "SERVICE_DISABLED", "ipRefererBlocked",
     "API_KEY_SERVICE_BLOCKED"}
)  # fmt: skip


class QuotaSpentError(SlowDownError):
    """The day's units are spent, by the platform's own count."""


class NoCommentsError(NeverRetryError):
    """This video has no comments to read, now or later."""


@dataclass(frozen=True, slots=True)
class Resources:
    """A page of a list. ``next_token``: where the next page begins, None at the end."""

    items: list[object]
    next_token: str | None
    witnessed_ms: int


def resources_of(answer: Answer, what: str) -> Resources:
    """Return the resources of a response.

    Raises:
        RetryLaterError: it is no list, or says that it has resources and has none.
    """
    value = answer.json
    if not isinstance(value, dict) or not str(value.get("kind")).endswith("ListResponse"):
        raise RetryLaterError(f"{what} answers with no list: {str(value)[:100]!r}")
    items = value.get("items", [])
    page = value.get("pageInfo")
    total = page.get("totalResults") if isinstance(page, dict) else None
    if not isinstance(items, list) or (not items and isinstance(total, int) and total > 0):
        raise RetryLaterError(f"{what} answers without the {total} items that it has")
    token = value.get("nextPageToken")
    return Resources(items, token if isinstance(token, str) and token else None, answer.witnessed_ms)


def refusal(response: Response, what: str) -> CollectError | None:
    """Return the error that a refusal stands for; YouTube gives its reason in the body."""
    error = refusal_by_status(response, what)
    if error is None:
        return None
    reasons, said = _reasons(response.body)
    message = f"{error}: {said}" if said else str(error)
    kind: type[CollectError] = type(error)
    if reasons & KEY or response.status == 401:
        message = f"YouTube rejects the key; check the option api_key and that the API is enabled ({message})"
        kind = UserError
    elif reasons & QUOTA:
        kind = QuotaSpentError
    elif reasons & TOO_FAST:
        kind = SlowDownError
    elif reasons & NOT_HERE:
        kind = NoCommentsError
    refused = kind(message)
    if isinstance(refused, SlowDownError) and isinstance(error, SlowDownError):
        refused.after_seconds = error.after_seconds
    return refused


def _reasons(body: bytes) -> tuple[set[str], str]:
    """Return the reasons of a refusal, in its old and its new form, and what it says in one line."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return set(), ""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return set(), ""
    reasons: set[str] = set()
    for key in ("errors", "details"):
        parts = error.get(key)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and isinstance(part.get("reason"), str):
                reasons.add(part["reason"])
    said = error.get("message")
    return reasons, " ".join([*sorted(reasons), *(said[:200].split() if isinstance(said, str) else ())])
