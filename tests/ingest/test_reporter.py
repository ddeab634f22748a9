"""A collector's reports: what it says of its sources, counts and health, and what the next process takes over."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from prometheus_client import REGISTRY

from ingest.batch import Batch, Ignored, Signals, Unreadable
from ingest.health import Health
from ingest.rates import DAY_HOURS, HOUR_MS, MINUTE_MS, Completeness
from ingest.report import RATES, CollectorReport, RatesRecord, SavedRates
from ingest.reporter import MAX_SOURCES, Reporter
from ingest.signal import Community, Signal
from tests.ingest.fake_clock import FakeClock

START_MS = 1_767_225_600_000


class Following:
    """A reporter, and the collector that it follows: every five minutes a poll gives so many items of a community."""

    def __init__(self) -> None:
        self.now_ms, self.clock, self.number = START_MS, FakeClock(), 0
        self.reports: list[CollectorReport] = []
        self.saved: RatesRecord | None = None
        self.begin()

    def begin(self) -> None:
        """Start another process."""
        self.health = Health(self.clock).add("test")
        self.reporter = Reporter("test", now_ms=lambda: self.now_ms, clock=self.clock, health=self.health)
        self.reporter.restore(self.saved)

    def items(self, count: int, community: str | None = "a") -> list[Signal]:
        """Return new items."""
        first = self.number
        self.number += count
        return [
            Signal(
                id=f"x:{number}",
                kind="post",
                platform="x",
                thread=f"x:{number}",
                community=Community(name=community),
                created_ms=self.now_ms - MINUTE_MS,
                observed_ms=self.now_ms,
            )
            for number in range(first, first + count)
        ]

    def poll(self, signals: list[Signal], **counts: object) -> None:
        """Take in one poll, five minutes later."""
        self.now_ms += 5 * MINUTE_MS
        self.clock.now += 300
        self.reporter.observe(Batch(Signals(signals, **counts), b"{}"), len(signals))  # type: ignore[arg-type]
        for key, value in self.reporter.due():
            if key == "test":
                self.reports.append(msgspec.json.decode(value, type=CollectorReport))
            else:
                assert key == f"test{RATES}"
                self.saved = msgspec.json.decode(value, type=RatesRecord)

    def run(self, hours: int, **per_poll: int) -> None:
        """Poll for some hours; each poll gives so many items of each community."""
        for _ in range(12 * hours):
            self.poll([item for community, count in per_poll.items() for item in self.items(count, community)])

    def said(self) -> dict[str, Completeness]:
        """Return what the latest report says of each source."""
        return {one.source: one.completeness for one in self.reports[-1].sources}


def test_a_community_that_falls_silent_is_found_though_the_collector_goes_on() -> None:
    following = Following()
    following.run(4 * DAY_HOURS, a=5, b=5)
    assert set(following.said().values()) == {Completeness.USUAL}
    following.run(1, a=5)
    assert following.said() == {"": Completeness.LOW, "a": Completeness.USUAL, "b": Completeness.SILENT}
    labels = {"collector": "test", "completeness": "silent"}
    assert REGISTRY.get_sample_value("hubbub_collect_incomplete_sources", labels) == 1
    following.run(24, a=5, b=5)
    assert set(following.said().values()) == {Completeness.USUAL}
    assert REGISTRY.get_sample_value("hubbub_collect_incomplete_sources", labels) == 0


def test_the_next_process_knows_what_is_usual() -> None:
    following = Following()
    following.run(4 * DAY_HOURS, a=5)
    following.begin()
    following.run(2)
    assert following.said()[""] is Completeness.SILENT
    assert following.reports[-1].sources[0].expected == pytest.approx(60, abs=1)


def test_an_item_that_is_seen_again_or_is_old_is_no_new_one() -> None:
    following = Following()
    again = following.items(3)
    old = [msgspec.structs.replace(one, created_ms=START_MS - 2 * DAY_HOURS * HOUR_MS) for one in following.items(3)]
    gone = [msgspec.structs.replace(one, deleted=True) for one in following.items(3)]
    for _ in range(4):
        following.poll([*again, *old, *gone])
    assert sum(following.reporter._sources[""]._by_slot.values()) == 3


def test_counts_and_health_are_in_the_report() -> None:
    following = Following()
    following.health.failed("the platform is away")
    ignored = {"ignored": Counter({Ignored.DEAD: 2}), "unreadable": [Unreadable("r", "d", b"")], "gaps": 1}
    following.poll(following.items(4), **ignored)
    report = following.reports[-1]
    assert (report.state, report.problem) == ("waiting", "the platform is away")
    assert (report.read, report.published, report.ignored, report.dead_letters, report.gaps) == (
        7,
        4,
        {"dead": 2},
        1,
        1,
    )
    assert report.read == report.published + sum(report.ignored.values()) + report.dead_letters


def test_a_name_that_is_no_utf_8_is_reported_all_the_same() -> None:
    following = Following()
    following.poll(following.items(1, "half \ud800"))
    assert [one.source for one in following.reports[-1].sources] == ["", "half ?"]


def test_sources_are_bounded() -> None:
    following = Following()
    following.poll([item for number in range(100) for item in following.items(1, f"community {number}")])
    assert len(following.reports[-1].sources) == MAX_SOURCES + 1
    assert following.reports[-1].sources[0].source == ""


def test_rates_are_saved_with_their_gaps() -> None:
    by_hour = {7: 0, 8: 3, 11: 5}
    saved = SavedRates.of(by_hour)
    assert (saved.by_hour(), SavedRates.of({}).by_hour(), len(saved.items)) == (by_hour, {}, 5)
