"""docs/explanation/collecting.md says what the code does."""

from __future__ import annotations

from itertools import dropwhile, islice, takewhile
from pathlib import Path

import pytest

from ingest import metrics
from ingest.batch import Ignored
from ingest.collector import CollectorConfig
from ingest.loop import GIVE_UP_TRIES, LoopOptions
from ingest.memory import tracked

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "explanation" / "collecting.md").read_text()


def first_cells(heading: str) -> list[str]:
    """Return the first column of the table below a heading."""
    below = PAGE.partition(heading)[2].splitlines()
    table = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), below))
    return [row.split("`")[1] for row in islice(table, 2, None)]


def test_every_retry_policy_is_listed() -> None:
    assert first_cells("## What happens on a failure") == list(metrics.VERDICTS)


def test_every_reason_to_ignore_an_item_is_there() -> None:
    assert first_cells("## What is ignored") == [reason.value for reason in Ignored]


@pytest.mark.parametrize(
    "said",
    [
        *(f"| up to {age // 3_600_000} h | every {every // 60_000} min |" for age, every in tracked.INTERVALS),
        f"| older | every {tracked.OLD_INTERVAL_MS // 3_600_000} h |",
        f"gains {tracked.LOUD_PER_HOUR:g} interactions an hour or more is polled {tracked.LOUD_FACTOR} times as often",
        f"for at most {LoopOptions().drain_seconds:g} s",
        f"does not acknowledge within {LoopOptions().kafka_timeout_seconds:g} s",
        f"waits {LoopOptions().retry_first_seconds:g} s, 2 s, 4 s … ",
        f" … up to {CollectorConfig().retry_max_seconds / 60:g} min",
        f"after {GIVE_UP_TRIES} tries ends this collector",
        f"(of {LoopOptions().dead_share_min_items} items or more)",
    ],
)
def test_every_figure_is_the_one_in_the_code(said: str) -> None:
    assert " ".join(said.split()) in " ".join(PAGE.split())
