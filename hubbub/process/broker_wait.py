"""Waiting for a broker that is away: it is no reason to end.

Owns the growing pause between two questions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import stamina

from transport.errors import RetryLaterError

__all__ = ["wait_for_broker"]

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
"""A role continues at most this long after its broker does, and asks it a few times a minute while it is away."""


async def wait_for_broker(answers: Callable[[], Awaitable[bool]], on_away: Callable[[], None]) -> None:
    """Return when ``answers`` says that a broker answers. Call ``on_away`` once if it does not at first."""
    async for attempt in stamina.retry_context(
        on=RetryLaterError,
        attempts=None,
        timeout=None,
        wait_initial=FIRST_PAUSE_SECONDS,
        wait_max=LONGEST_PAUSE_SECONDS,
    ):
        with attempt:
            if not await answers():
                if attempt.num == 1:
                    on_away()
                raise RetryLaterError("no broker answers")
