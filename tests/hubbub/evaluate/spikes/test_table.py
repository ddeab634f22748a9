"""The table compares our spike detector with the targets, and shows where it misses them."""

from __future__ import annotations

import pytest
from rich.console import Console

from hubbub.evaluate.spikes.measure import DetectorResult, TrialResult
from hubbub.evaluate.spikes.table import trial_table


def _found(delay: float | None = 10.0, missed: int = 0, false: int = 0) -> DetectorResult:
    return DetectorResult(delay_minutes=delay, missed=missed, false_alarms=false, false_per_story_day=false / 40)


def _printed(hubbub: DetectorResult, poisson: DetectorResult, hourly: DetectorResult) -> str:
    detectors = {"hubbub": hubbub, "poisson": poisson, "three_times": _found(), "hourly": hourly}
    console = Console(width=200, force_terminal=True, color_system="standard", no_color=False)
    with console.capture() as printed:
        console.print(trial_table("a set", TrialResult(stories=1200, story_days=40, surges=9, detectors=detectors)))
    return printed.get()


GREEN, RED = "\x1b[32m", "\x1b[31m"


@pytest.mark.parametrize(
    ("hubbub", "poisson", "hourly", "verdicts"),
    [
        (_found(20, 1, 2), _found(5, 3, 4), _found(60, 1, 0), (GREEN + "0.33 of", GREEN + "0.50 of", RED + "1 more")),
        (
            _found(21, 0, 3),
            _found(5, 3, 4),
            _found(60, 0, 0),
            (RED + "0.35 of", RED + "0.75 of", GREEN + "none misses"),
        ),
        (_found(20, 0, 0), _found(), _found(60), (GREEN + "(a) has no false",)),
        (_found(20, 0, 1), _found(), _found(60), (RED + "(a) has no false",)),
    ],
)
def test_a_target_is_green_where_it_is_met_and_red_where_it_is_missed(
    hubbub: DetectorResult, poisson: DetectorResult, hourly: DetectorResult, verdicts: tuple[str, ...]
) -> None:
    printed = _printed(hubbub, poisson, hourly)
    assert [verdict for verdict in verdicts if verdict not in printed] == []


def test_long_delays_are_in_hours_and_a_missing_delay_is_a_dash() -> None:
    printed = _printed(_found(180.0), _found(None), _found(119.0))
    assert "3.0 h" in printed
    assert "119.0 min" in printed
    assert "—" in printed
    assert "9 spikes in 1,200 stories, 40 story-days" in printed
