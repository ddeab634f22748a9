"""The schedule of faults: by seed, complete, in time; and poison that nobody takes for a signal."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.system.chaos.clocked import Dial
from tests.system.chaos.faults import poison
from tests.system.chaos.schedule import LIVE, RECORDED, SHORT, Lane, plan


@pytest.mark.parametrize("lanes", [LIVE, RECORDED, SHORT])
@pytest.mark.parametrize("seconds", [10.0, 200.0])
def test_every_kind_comes_up_in_time_and_by_seed(lanes: tuple[Lane, ...], seconds: float) -> None:
    planned = plan("7", lanes, seconds)
    assert planned == plan("7", lanes, seconds)
    assert planned != plan("8", lanes, seconds)
    for lane, faults in zip(lanes, planned, strict=True):
        assert {(fault.kind, fault.target) for fault in faults} == set(lane.kinds)
        assert [fault.at_seconds for fault in faults] == sorted(fault.at_seconds for fault in faults)
        assert all(0 <= fault.at_seconds < seconds for fault in faults)
        assert len(faults) >= seconds // lane.every_seconds


def test_poison_is_no_signal() -> None:
    chance = random.Random(1)
    assert len({poison(chance) for _ in range(200)}) > 100  # each is tried before it is given out


def test_a_dial_is_seen_through_another(tmp_path: Path) -> None:
    ours, theirs = Dial(tmp_path / "dial"), Dial(tmp_path / "dial")
    clock = theirs.turn(lambda: 1_000)
    assert (clock(), ours.used_ms) == (1_000, 0)
    ours.set(-600)
    assert (clock(), ours.used_ms) == (400, -600)
