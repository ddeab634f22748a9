"""The loop on a real broker: what it does about each failure, and that every item is accounted for."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ingest.batch import Ignored, Signals, Unreadable
from ingest.health import State
from tests.eventually import eventually
from tests.ingest.counting import IMPATIENT, Maker, cursor_is_covered, item, now_ms, numbers_in, running, succeeded
from tests.ingest.kafka_proxy import KafkaProxy
from tests.ingest.topics import Place
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError, UserError


async def test_a_broker_that_is_away_is_waited_for(place: Place, proxy: KafkaProxy) -> None:
    proxy.open = False
    async with running(place, through=proxy) as (_, health, _stop):
        await eventually(lambda: health.problem)
        assert not health.ready
        assert health.problem is not None
        assert health.problem.startswith("Kafka: ")
        proxy.open = True
        await eventually(succeeded(health))
        assert health.problem is None
        proxy.open = False
        proxy.cut()
        await eventually(lambda: not health.ready)
        proxy.open = True
        await eventually(succeeded(health))
    await cursor_is_covered(place)


async def test_a_failed_poll_is_repeated_and_shown_in_the_health(place: Place) -> None:
    maker = Maker([RetryLaterError("it is ill"), NeverRetryError("gone"), SlowDownError("slow"), RetryLaterError("x")])
    async with running(place, maker) as (_, health, _stop):
        await eventually(succeeded(health))
        assert (health.problem, health.ready) == (None, True)
    assert health.failures == [(problem, State.WAITING, False) for problem in ("it is ill", "gone", "slow", "x")]
    assert len(maker.made) == 1
    await cursor_is_covered(place)


async def test_a_failure_that_was_logged_has_an_end_in_the_log(place: Place) -> None:
    maker = Maker([RetryLaterError("it is ill"), RetryLaterError("it is ill"), Signals(), RetryLaterError("it is ill")])
    with capture_logs() as logs:
        async with running(place, maker) as (_, health, _stop):
            await eventually(lambda: len(health.failures) == 3)
            await eventually(succeeded(health))
    said = [line["event"] for line in logs if line["event"].startswith("collector")]
    assert said == ["collector cannot collect", "collector collects again"]


async def test_what_a_platform_explains_cannot_move_a_cursor_nor_fill_the_memory(place: Place) -> None:
    maker = Maker([RetryLaterError("\x1b[2J half \ud800\n"), RetryLaterError("x" * 1_000_000)])
    async with running(place, maker) as (_, health, _stop):
        await eventually(succeeded(health))
    (explained, _, _), (long, _, _) = health.failures
    assert (explained, len(long)) == ("\\x1b[2J half \\ud800\\n", 1_000)


async def test_a_platform_that_limits_our_rate_is_left_alone(place: Place) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    maker = Maker([SlowDownError("slow", after_seconds=700)])
    async with running(place, maker, options=dataclasses.replace(IMPATIENT, sleep=sleep)) as (_, health, _stop):
        await eventually(succeeded(health))
    assert slept == [700]


async def test_refused_credentials_end_the_collector_with_a_reason(place: Place) -> None:
    maker = Maker([UserError("check client_id")] * 3)
    async with running(place, maker) as (task, health, _):
        with pytest.raises(UserError, match="check client_id"):
            await task
        assert (health.state, health.problem) == (State.STOPPED, "check client_id")


async def test_a_single_refusal_is_not_believed(place: Place) -> None:
    async with running(place, Maker([UserError("refused"), UserError("refused")])) as (task, health, _):
        await eventually(succeeded(health))
        assert health.problems == ["refused"] * 2
        assert not task.done()


async def test_a_refusal_after_a_success_is_waited_out(place: Place) -> None:
    """Platforms have rejected all tokens for an hour; the operator should not have to restart the collector."""
    async with running(place, Maker([Signals(), *[UserError("refused")] * 4])) as (task, health, _):
        await eventually(lambda: len(health.failures) == 4)
        await eventually(succeeded(health))
        assert health.problems == ["refused"] * 4
        assert not task.done()


async def test_a_fault_of_ours_restarts_the_collector_from_its_cursor(place: Place) -> None:
    maker = Maker([Signals([item(999_999)]), KeyError("oops")])
    async with running(place, maker) as (_, health, _stop):
        await eventually(lambda: health.failures)
        await eventually(succeeded(health))
    assert health.problems == ["KeyError: 'oops'"]
    assert len(maker.made) == 2
    assert maker.made[0].closed
    await cursor_is_covered(place)


async def write_cursors(place: Place, *records: tuple[bytes, bytes | None]) -> None:
    producer = AIOKafkaProducer(**place.kafka)
    await producer.start()
    for key, value in records:
        await producer.send_and_wait(f"{place.prefix}cursors", value, key=key)
    await producer.stop()


async def test_a_cursor_that_cannot_be_read_is_no_reason_to_begin_again(place: Place) -> None:
    await write_cursors(place, (b"count", b'{"v":1,"cursor"'))
    async with running(place) as (_, health, _stop):
        await eventually(lambda: health.problem)
        await asyncio.sleep(0.3)
        assert not health.ready
    assert await numbers_in(place) == []


async def test_the_cursors_of_others_are_passed_over(place: Place) -> None:
    record = b'{"v":1,"collector":"x","saved_ms":0,"cursor":%d}'
    await write_cursors(place, (b"count", record % 70), (b"other", record % 5), (b"third", None))
    async with running(place) as (_, health, _stop):
        await eventually(succeeded(health))
    assert min(await numbers_in(place)) == 70


async def test_a_cursor_deleted_by_the_operator_begins_again(place: Place) -> None:
    await write_cursors(place, (b"count", b'{"v":1,"collector":"count","saved_ms":0,"cursor":70}'), (b"count", None))
    async with running(place) as (_, health, _stop):
        await eventually(succeeded(health))
    assert min(await numbers_in(place)) == 0


async def test_an_idle_collector_saves_its_cursor_once_and_is_well(place: Place) -> None:
    maker = Maker(itertools.repeat(Signals()))
    async with running(place, maker) as (_, health, _stop):
        await eventually(lambda: maker.made and maker.last.asked > 50)
        assert health.ready
        assert health.last_success_age_seconds < 1
    assert len(await place.read("cursors")) == 1


async def test_every_item_is_published_ignored_or_dead_and_the_account_closes(place: Place) -> None:
    name = f"account-{place.prefix}"
    odd = Signals(
        [item(1), item(2, kind="post"), item(3, title="half a pair \ud83d"), item(4, text="x" * 2_000_000)],
        unreadable=[Unreadable.of({"a": "\ud800"}, "wrong_shape", "because"), Unreadable("big", "big", b"x" * 9**6)],
    )
    odd.ignored[Ignored.DEAD] += 3
    patient = dataclasses.replace(IMPATIENT, kafka_timeout_seconds=60)  # a repetition would publish twice
    async with running(place, Maker([odd], end=0), name=name, options=patient) as (_, health, _stop):
        await eventually(succeeded(health))
    assert await numbers_in(place) == [1]
    letters = {letter["reason"]: letter for letter in map(_loads, await place.read("dead-letters"))}
    assert set(letters) == {"wrong_shape", "big", "bad_id", "bad_text", "too_large"}
    assert abs(letters["wrong_shape"].pop("at_ms") - now_ms()) < 60_000
    assert letters["wrong_shape"] == {
        "v": 1,
        "stage": "collect",
        "collector": name,
        "reason": "wrong_shape",
        "detail": "because",
        "topic": None,
        "partition": None,
        "offset": None,
        "original_b64": b64encode(b'{"a": "\\ud800"}').decode(),
        "original_bytes": 15,
        "original_sha256": sha256(b'{"a": "\\ud800"}').hexdigest(),
        "truncated": False,
    }
    assert json.loads(b64decode(letters["bad_id"]["original_b64"]))["id"] == "count:2"
    assert (letters["big"]["original_bytes"], letters["big"]["truncated"]) == (531_441, True)
    counted = account(name)
    assert counted == {"items_read": 9, "signals": 4, "signals_published": 1, "records_ignored": 3, "dead_letters": 5}
    assert counted["items_read"] == sum(
        counted[end] for end in ("signals_published", "records_ignored", "dead_letters")
    )


def _loads(record: ConsumerRecord[bytes, bytes]) -> dict[str, Any]:
    return dict(json.loads(record.value or b""))


def account(collector: str) -> dict[str, float]:
    """Return the totals of a collector's counters."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {
        name: sum(
            sample.value
            for sample in samples
            if sample.name == f"hubbub_collect_{name}_total" and sample.labels["collector"] == collector
        )
        for name in ("items_read", "signals", "signals_published", "records_ignored", "dead_letters")
    }


async def test_a_batch_that_is_mostly_unreadable_is_held_back_until_it_gets_better(place: Place) -> None:
    """A changed format must not end as a million dead letters, nor a cursor that has gone past what it hid."""
    absurd = Signals([item(5)], unreadable=[Unreadable.of({"n": n}, "wrong_shape", "no name") for n in range(40)])
    maker = Maker([absurd], [absurd], [absurd])
    async with running(place, maker) as (_, health, _stop):
        await eventually(succeeded(health))
    assert len(health.problems) == 3
    assert all(it.startswith("40 of 41 items are unreadable, the first because: no name.") for it in health.problems)
    assert len(maker.made) == 4
    assert await place.read("dead-letters") == []
    await cursor_is_covered(place)


async def test_items_from_after_now_wait_for_a_clock_that_is_right(place: Place) -> None:
    early = [item(number, created_ms=now_ms() + number * 3_600_000) for number in (1, 2)]
    maker = Maker([Signals([item(0), *early])])
    async with running(place, maker) as (_, health, _stop):
        await eventually(succeeded(health))
    (problem,) = health.problems
    assert problem.startswith("2 of 3 items are from up to 1")
    assert await place.read("dead-letters") == []
    await cursor_is_covered(place)


async def test_an_item_from_another_age_is_a_dead_letter_and_holds_nothing_up(place: Place) -> None:
    maker = Maker([Signals([item(0), item(1, created_ms=now_ms() + 2 * 86_400_000)])])
    async with running(place, maker) as (_, health, _stop):
        await eventually(succeeded(health))
    (letter,) = await place.read("dead-letters")
    assert b"bad_time" in (letter.value or b"")
