"""The doctor reads from the saved cursor how much is spent."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.operate.budgets import budget_of
from hubbub.settings import load
from ingest.cursors import CursorRecord

DAY_MS = 86_400_000


def record(collector: str, cursor: bytes) -> CursorRecord:
    return CursorRecord(collector=collector, saved_ms=0, cursor=msgspec.Raw(cursor))


def test_the_budget_of_a_collector_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_COLLECT__X__BEARER_TOKEN", "secret-token")
    spent = b'{"spent":{"posts_day":{"begins_ms":86400000,"units":7},"micro_usd_month":{"units":500000}}}'
    lines = budget_of(record("x", spent), load(), DAY_MS + 5)
    assert [(line.option, line.limit, line.spent) for line in lines] == [
        ("posts_per_day", 500, 7),
        ("posts_per_month", 10_000, 0),
        ("usd_per_month", 50, 0.5),
    ]


@pytest.mark.parametrize(
    ("collector", "cursor"), [("x", b"{}"), ("hackernews", b"{}"), ("unknown", b"{}"), ("youtube", b"[]")]
)
def test_nothing_is_shown_of_others(collector: str, cursor: bytes) -> None:
    assert budget_of(record(collector, cursor), load(), 0) == ()
