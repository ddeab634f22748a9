"""Why a request is refused: a status, a code for programs, and a sentence for people.

Owns the form of that. Must never know which check refuses.
"""

from __future__ import annotations

from transport.errors import NeverRetryError

__all__ = ["RefusedRequestError"]


class RefusedRequestError(NeverRetryError):
    """A request from which nothing is taken. ``retry_after_seconds``: when the sender may send it again."""

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds
