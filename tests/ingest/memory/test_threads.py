"""The threads that passed, and what waits for one."""

from __future__ import annotations

import doctest

import pytest

from ingest.memory import threads
from ingest.memory.early import EarlyItems
from ingest.memory.threads import PassedThreads


def test_the_example_in_the_documentation() -> None:
    assert doctest.testmod(threads).failed == 0


def test_the_latest_threads_survive_a_restart_and_the_rest_is_dropped() -> None:
    before = PassedThreads(1_000)
    for number in range(3_000):
        before.add(f"bluesky:did:plc:a/{number}")
    assert len(before) == 1_000
    saved = before.saved(100)
    assert len(saved) == 800
    after = PassedThreads(1_000, saved)
    assert len(after) == 100
    assert "bluesky:did:plc:a/2900" in after
    assert "bluesky:did:plc:a/2899" not in after


def test_a_thread_in_which_people_talk_is_kept() -> None:
    kept = PassedThreads(10)
    for number in range(100):
        kept.add(str(number))
        assert "0" in kept


def test_a_saved_form_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        PassedThreads(10, "?")


def test_an_item_waits_for_the_root_of_its_thread_in_order_and_once() -> None:
    early: EarlyItems[int] = EarlyItems(10, 1_000)
    for number, thread in enumerate("abab"):
        early.add(thread, number, 0)
    assert early.oldest == 0
    assert (early.take("a"), early.take("a"), early.take("c")) == ([0, 2], [], [])
    assert (early.oldest, len(early)) == (1, 2)


def test_an_item_waits_no_longer_than_it_may_and_no_more_wait_than_may() -> None:
    early: EarlyItems[int] = EarlyItems(3, 1_000)
    for number in range(5):
        early.add("a" if number % 2 else "b", number, 100 * number)
    assert early.drop_late(500) == 2
    assert early.drop_late(1_200) == 0
    assert early.drop_late(1_201) == 1
    assert (early.take("a"), early.take("b")) == ([3], [4])
    assert (early.drop_late(10_000), early.oldest) == (0, None)
