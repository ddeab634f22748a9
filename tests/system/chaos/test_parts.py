"""The schedule of faults, the poison, and the clock offset."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.system.chaos.clock_offset import ClockOffset
from tests.system.chaos.faults import poison
from tests.system.chaos.schedule import LIVE, RECORDED, SHORT, FaultQueue, plan


@pytest.mark.parametrize("queues", [LIVE, RECORDED, SHORT])
@pytest.mark.parametrize("seconds", [10.0, 200.0])
def test_every_kind_of_fault_occurs_in_time_and_by_seed(queues: tuple[FaultQueue, ...], seconds: float) -> None:
    planned = plan("7", queues, seconds)
    assert planned == plan("7", queues, seconds)
    assert planned != plan("8", queues, seconds)
    for queue, faults in zip(queues, planned, strict=True):
        assert {(fault.kind, fault.target) for fault in faults} == set(queue.kinds)
        assert [fault.at_seconds for fault in faults] == sorted(fault.at_seconds for fault in faults)
        assert all(0 <= fault.at_seconds < seconds for fault in faults)
        assert len(faults) >= seconds // queue.every_seconds


def test_poison_is_never_a_valid_signal() -> None:
    chance = random.Random(1)
    assert len({poison(chance) for _ in range(200)}) > 100  # poison() itself checks each record


def test_an_offset_is_shared_through_its_file(tmp_path: Path) -> None:
    ours, theirs = ClockOffset(tmp_path / "offset"), ClockOffset(tmp_path / "offset")
    clock = theirs.apply(lambda: 1_000)
    assert (clock(), ours.applied_ms) == (1_000, 0)
    ours.set(-600)
    assert (clock(), ours.applied_ms) == (400, -600)
