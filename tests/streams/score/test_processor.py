"""A score worker while the broker is away: it is not ready, the watermark ages, and lag is not known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from streams.score.assessor import NoAssessor
from streams.score.assigned_partition import AssignedPartition
from streams.score.config import ScoreConfig
from streams.score.processor import Processor
from streams.score.scorer import PartitionScorer
from tests.streams.examples.activity import Unread
from transport.fencing import SILENT_SHARE

NOW_MS = 1_800_000_000_000


class Clock:
    """``seconds`` have passed."""

    seconds = 0.0

    def now_ms(self) -> int:
        return NOW_MS + int(1000 * self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"stage": "score", **labels})


def age() -> float:
    value = metric("hubbub_watermark_age_seconds")
    assert value is not None
    return value


async def taken_over(clock: Clock, monkeypatch: pytest.MonkeyPatch, watermarks_ms: list[int]) -> Processor:
    """Return a processor with partitions that have reached ``watermarks_ms``."""
    producer: Any = SimpleNamespace(client=SimpleNamespace(send=None))
    config = ScoreConfig()
    processor = Processor(
        kafka={},
        prefix="",
        config=config,
        reader=Unread(),
        assess=NoAssessor(),
        producer=producer,
        now_ms=clock.now_ms,
        monotonic=clock.monotonic,
    )
    partitions = {}
    for number, watermark_ms in enumerate(watermarks_ms):
        partitions[number] = AssignedPartition(number, 7, PartitionScorer({}, config, Unread()))
        partitions[number].watermark_ms = watermark_ms

    async def restore(*_: object) -> dict[int, AssignedPartition]:
        return partitions

    monkeypatch.setattr(processor, "_restore", restore)
    processor.assign(1)
    await processor.take_over(list(partitions))
    processor.lease.renew(clock.seconds)
    return processor


async def test_it_is_not_ready_while_its_group_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    processor = await taken_over(clock, monkeypatch, [NOW_MS])
    clock.seconds = SILENT_SHARE * 10
    assert processor.problems() == []
    clock.seconds += 1
    assert processor.problems() == ["the broker has not answered for 5 s; check that it runs"]
    processor.lease.renew(clock.seconds)
    assert processor.problems() == []


async def test_the_watermark_has_a_signed_age_that_grows_while_there_are_no_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    processor = await taken_over(clock, monkeypatch, [0, NOW_MS + 5_000, NOW_MS + 9_000])
    assert age() == -5
    clock.seconds = 60.0
    assert age() == 55
    await processor.revoke()
    clock.seconds = 90.0
    assert age() == 85, "unknown is not 0"
    processor.assign(2)
    monkeypatch.setattr(processor, "_partitions", {})
    await processor.take_over([])
    assert math.isnan(age()), "the partitions are another worker's"


async def test_an_age_without_any_record_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    await taken_over(Clock(), monkeypatch, [0])
    assert math.isnan(age())


async def test_lag_is_current_without_new_records_and_not_known_without_the_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    processor = await taken_over(clock, monkeypatch, [NOW_MS])

    def lag() -> float | None:
        return metric("hubbub_lag_records", partition="0")

    assert math.isnan(lag() or 0), "nothing was fetched yet"
    ends = {0: 9}
    await processor.process([], ends.get)
    assert lag() == 2
    ends[0] = 30
    assert lag() == 23
    clock.seconds = 10.0
    assert math.isnan(lag() or 0)
    await processor.revoke()
    assert lag() is None
