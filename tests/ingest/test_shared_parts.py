"""The small parts every collector shares: verdicts, seen-set, agenda, pace, missing items, accounts of a batch."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import json
import math
import pkgutil
import time
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

import ingest
from ingest import metrics
from ingest.batch import Ignored, Signals, Unreadable, well_formed
from ingest.errors import (
    CollectError,
    GiveUpError,
    NeverRetryError,
    RetryLaterError,
    SlowDownError,
    retry_after_seconds,
    verdict_on,
)
from ingest.memory.rate_limit import Pace
from ingest.memory.recent import Recent
from ingest.memory.schedule import Agenda
from ingest.memory.seen import Seen
from ingest.platforms.hackernews import convert as hackernews
from ingest.platforms.hackernews.missing import Missing
from ingest.platforms.reddit import convert as reddit

MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(ingest.__path__, "ingest.")]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_are_true(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (200, {}, None),
        (204, {"Retry-After": "5"}, None),
        (301, {}, NeverRetryError),
        (400, {}, RetryLaterError),
        (401, {}, GiveUpError),
        (403, {}, RetryLaterError),
        (404, {}, NeverRetryError),
        (408, {}, RetryLaterError),
        (410, {}, NeverRetryError),
        (429, {}, SlowDownError),
        (500, {}, RetryLaterError),
        (500, {"Retry-After": "5"}, RetryLaterError),
        (503, {}, RetryLaterError),
        (503, {"Retry-After": "5"}, SlowDownError),
        (999, {}, RetryLaterError),
    ],
)
def test_verdict_on_a_status(status: int, headers: dict[str, str], verdict: type[CollectError] | None) -> None:
    found = verdict_on(status, headers, "it")
    assert type(found) is (verdict or type(None))
    assert found is None or found.verdict in metrics.VERDICTS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "1e9"}, 3600),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:29:00 GMT"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 -0000"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(CIMultiDict(headers)) == seconds


@given(st.text())
def test_retry_after_is_sane_whatever_the_platform_writes(header: str) -> None:
    seconds = retry_after_seconds({"Retry-After": header, "Date": header})
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= 3600)


@given(st.integers(1, 10), st.lists(st.sampled_from("abcdefghijklmnop")))
def test_seen_keeps_the_latest_and_tells_what_is_new(max_ids: int, added: list[str]) -> None:
    seen = Seen(max_ids)
    latest: list[str] = []
    for id_ in added:
        assert seen.add(id_) is (id_ not in latest)
        latest = [*(other for other in latest if other != id_), id_][-max_ids:]
        assert list(seen) == latest
        assert len(seen) == len(latest)
    assert all((id_ in seen) is (id_ in latest) for id_ in "abcdefghijklmnop")
    assert list(Seen(max_ids, seen)) == latest


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 40))))
def test_recent_keeps_for_as_long_as_it_says(puts: list[tuple[str, int]]) -> None:
    now_ms = 0
    recent = Recent[str, int](100, kept_ms=10, now_ms=lambda: now_ms)
    last: dict[str, tuple[int, int]] = {}
    for number, (key, passes_ms) in enumerate(puts):
        now_ms += passes_ms
        recent.put(key, number)
        last[key] = number, now_ms
        for other, (value, at_ms) in last.items():
            if now_ms - at_ms < 10:
                assert recent.get(other) == value
            elif now_ms - at_ms >= 30:
                assert other not in recent
            assert recent.get(other) in {None, value}


@given(st.integers(2, 9), st.lists(st.integers(0, 20)))
def test_recent_holds_no_more_than_it_may(most: int, keys: list[int]) -> None:
    recent = Recent[int, int](most, kept_ms=1_000, now_ms=lambda: 0)
    for number, key in enumerate(keys):
        recent.put(key, key)
        assert len(recent) <= most
        assert all(later in recent for later in keys[max(0, number + 1 - most // 2) : number + 1])


async def test_agenda_gives_each_look_its_turn() -> None:
    agenda = Agenda({"often": 0.01, "seldom": 0.1, "later": 1e6})
    agenda.put_off("later")
    names = [await agenda.next() for _ in range(12)]
    assert names[:2] == ["often", "seldom"]
    assert names.count("seldom") <= 3
    assert "later" not in names


async def test_agenda_hurries() -> None:
    agenda = Agenda({"a": 1e6, "b": 1e6})
    assert [await agenda.next(), await agenda.next()] == ["a", "b"]
    agenda.hurry("a")
    async with asyncio.timeout(1):
        assert await agenda.next() == "a"


async def test_pace_lets_no_more_through_than_it_should() -> None:
    pace = Pace("test-pace", 600)
    for _ in range(600):
        await pace.turn()
    began_at = time.monotonic()
    for _ in range(3):
        await pace.turn()
    assert 0.2 < time.monotonic() - began_at < 2
    assert metrics.RATE_LIMIT_WAITS.labels("test-pace")._value.get() >= 2


async def test_pace_holds_and_a_longer_hold_counts() -> None:
    pace = Pace("test-hold", 600)
    pace.hold(0.2)
    pace.hold(0.05)
    began_at = time.monotonic()
    await asyncio.gather(pace.turn(), pace.turn())
    assert time.monotonic() - began_at >= 0.2
    assert metrics.RATE_LIMIT_WAIT_SECONDS.labels("test-hold")._value.get() >= 0.4


def test_missing_items_are_asked_for_again_until_it_is_enough() -> None:
    missing = Missing(0.0, 3, [7])
    assert missing.due() == [7]
    assert [missing.add(5), missing.add(5), missing.add(5)] == [True, True, False]
    missing.discard(7)
    missing.discard(7)
    assert (len(missing), missing.ids()) == (0, [])
    patient = Missing(60.0, 3)
    patient.add(1)
    assert (patient.due(), patient.ids()) == ([], [1])


def test_the_account_of_a_batch_adds_up() -> None:
    one, two = Signals(), Signals(unreadable=[Unreadable.of({"id": float("nan")}, "r", "d")], gaps=1)
    one.ignored[Ignored.DEAD] += 2
    one.extend([two, two])
    assert (one.read, one.gaps, len(one.unreadable)) == (4, 2, 2)


def test_an_original_may_hold_anything_that_json_can_spell() -> None:
    letter = Unreadable.of({"a": "\ud800", "b": [1, None]}, "r", "d")
    assert json.loads(letter.original) == {"a": "\ud800", "b": [1, None]}


@pytest.mark.parametrize("convert", [reddit.convert, hackernews.convert], ids=["reddit", "hackernews"])
def test_nesting_without_end_is_unreadable(convert: Callable[[object, int], Signals]) -> None:
    """What was just not too deep to be parsed may be too deep a few calls further down."""
    for depth in (10, 900, *range(930, 1000), 5_000):
        nested: object = []
        for _ in range(depth):
            nested = {"data": [nested], "kind": "t3", "id": 1}
        assert convert(nested, 0).read == 1


@given(st.text(st.characters()))
def test_well_formed_text_can_be_written(text: str) -> None:
    mended = well_formed(text)
    assert mended.encode().decode() == mended
    assert len(mended) == len(text)
