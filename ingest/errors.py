"""The retry policy of an error: what the loop does after a failure to collect.

Owns which branch of :mod:`transport.errors` a failure at a platform belongs to. A collector raises:

- ``RetryLaterError``: the platform, or the way to it, is ill. Wait, longer each time, and ask again.
- ``SlowDownError``: we ask too much. Ask nothing at all for as long as the platform says.
- ``NeverRetryError``: this one item will never come. Go on without it.
- ``UserError``: only the operator can fix it (credentials). Stop this collector and say how.

Anything else is a fault of ours. Must never know a platform's protocol beyond HTTP's status codes.
"""

from collections.abc import Mapping

from transport.errors import NeverRetryError, RetryLaterError, SlowDownError, UserError
from transport.http import retry_after_seconds

CollectError = RetryLaterError | SlowDownError | NeverRetryError | UserError
"""What a collector may raise. The message is one line for the operator."""
RETRY_POLICIES: Mapping[type[CollectError], str] = {
    RetryLaterError: "retry_later",
    SlowDownError: "slow_down",
    NeverRetryError: "never_retry",
    UserError: "give_up",
}
"""The policies by error, as values of the metric label ``verdict``."""
COLLECT_ERRORS = tuple(RETRY_POLICIES)
"""What a collector may raise, for ``except``."""


def retry_policy(error: Exception) -> str:
    """Return the retry policy of ``error``; ``unexpected`` for a fault of ours."""
    return next((policy for kind, policy in RETRY_POLICIES.items() if isinstance(error, kind)), "unexpected")


def error_for_status(status: int, headers: Mapping[str, str], what: str) -> CollectError | None:
    """Return the error for an HTTP response (RFC 9110, section 15), None for a success.

    ``headers``: in any letter case. ``what``: what was asked for; the message names it.
    """
    if 200 <= status < 300:
        return None
    message = f"{what} answered with HTTP status {status}"
    after_seconds = retry_after_seconds(headers)
    if status == 429 or (status == 503 and after_seconds is not None):
        return SlowDownError(message, after_seconds)
    if status in {404, 410, 414} or 300 <= status < 400:  # a redirect is not followed
        return NeverRetryError(message)
    return RetryLaterError(message)
