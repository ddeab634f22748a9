"""The health of a collector: ready after a success, and only for a limited time."""

from __future__ import annotations

from ingest.health import Health
from tests.ingest.fake_clock import FakeClock


def test_a_collector_without_a_recent_success_is_not_ready() -> None:
    clock = FakeClock()
    health = Health(clock)
    collector = health.add("silent")
    assert health.problems == ("silent: starting, no success for 0 s",)
    collector.succeeded()
    assert collector.ready
    clock.now += 3_600
    assert health.problems == ("silent: collecting, no success for 3600 s",)
    assert collector.last_success_age_seconds == 3_600
