"""The helper that tests wait with."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tests.eventually import eventually, eventually_blocking


async def test_it_returns_the_first_true_value_of_a_function_or_a_coroutine_function() -> None:
    numbers, others = count(), count()

    async def third() -> int:
        return max(0, next(others) - 2)

    assert await eventually(lambda: max(0, next(numbers) - 2)) == 1
    assert await eventually(third) == 1
    assert await eventually(lambda: next(numbers), until=lambda number: number == 7) == 7
    assert eventually_blocking(lambda: next(numbers)) == 8


async def test_it_fails_with_the_last_value_after_the_deadline() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(pytest.fail.Exception, match=r"not true within 0.05 s; the last value was '\[\]'"):
        await eventually(list, within_seconds=0.05)
    with pytest.raises(pytest.fail.Exception, match=r"within 0.05 s"):
        await eventually(never, within_seconds=0.05)
    with pytest.raises(pytest.fail.Exception, match=r"within 0.05 s; the last value was '0'"):
        eventually_blocking(lambda: 0, within_seconds=0.05)


async def test_an_exception_in_the_condition_is_not_retried() -> None:
    calls = count()

    def broken() -> bool:
        raise KeyError(next(calls))

    with pytest.raises(KeyError):
        await eventually(broken)
    assert next(calls) == 1
