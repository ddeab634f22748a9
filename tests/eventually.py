"""Wait for a condition instead of sleeping.

Owns the deadline and the failure message. Use it where a test waits for another task, thread or process and there is
no event to await.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import pytest

__all__ = ["eventually", "eventually_blocking"]

T = TypeVar("T")

POLL_SECONDS = 0.02
MAX_SHOWN_CHARS = 600


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], within_seconds: float = ..., *, until: Callable[[T], object] = ...
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T], within_seconds: float = ..., *, until: Callable[[T], object] = ...
) -> T: ...
async def eventually(
    condition: Callable[[], Any], within_seconds: float = 30, *, until: Callable[[Any], object] = bool
) -> Any:
    """Call ``condition``, a function or a coroutine function, until its value passes ``until``; return the value.

    Fail the test after ``within_seconds``, with the last value. An exception in ``condition`` fails the test at once.
    """
    __tracebackhide__ = True
    value: object = None
    try:
        async with asyncio.timeout(within_seconds) as deadline:
            while True:
                answer = condition()
                value = await answer if inspect.isawaitable(answer) else answer
                if until(value):
                    return value
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        if not deadline.expired():
            raise
        pytest.fail(_message(value, within_seconds))


def eventually_blocking(condition: Callable[[], T], within_seconds: float = 30) -> T:
    """Do the same in a test without an event loop."""
    __tracebackhide__ = True
    deadline = time.monotonic() + within_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(_message(value, within_seconds))
        time.sleep(POLL_SECONDS)
    return value


def _message(value: object, within_seconds: float) -> str:
    return f"not true within {within_seconds:g} s; the last value was {str(value)[:MAX_SHOWN_CHARS]!r}"
