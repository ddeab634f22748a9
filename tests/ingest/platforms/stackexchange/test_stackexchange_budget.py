"""The requests of a day and the schedule of the sites: never more than allowed, and most where most changes."""

from __future__ import annotations

import random
from itertools import pairwise

from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.platforms.stackexchange.cursor import SavedCursor, budget
from ingest.platforms.stackexchange.daily_requests import HOUR_MS, DailyRequests
from ingest.platforms.stackexchange.site_schedule import DAY_SECONDS, POLL_SHARE, SiteSchedule
from tests.ingest.fake_clock import FakeClock
from tests.ingest.sites import NOW_MS


def test_no_24_hours_have_more_requests_than_allowed() -> None:
    rng = random.Random(7)
    requests = DailyRequests(50, {})
    sent: list[int] = []
    now_ms = NOW_MS
    for _ in range(2_000):
        now_ms += rng.randrange(2 * HOUR_MS // 10)
        if requests.left(now_ms):
            requests.spend(now_ms)
            sent.append(now_ms)
        if rng.random() < 0.1:  # a restart
            requests = DailyRequests(50, requests.saved(now_ms, reserved=0))
    assert len(sent) > 300
    assert max(sum(at_ms <= one < at_ms + 24 * HOUR_MS for one in sent) for at_ms in sent) <= 50


def test_a_request_that_is_waited_for_is_allowed_then() -> None:
    requests = DailyRequests(1, {})
    requests.spend(NOW_MS)
    assert requests.left(NOW_MS) == 0
    wait_ms = requests.next_ms(NOW_MS)
    assert 24 * HOUR_MS < wait_ms <= 25 * HOUR_MS
    assert requests.left(NOW_MS + wait_ms) == 1


def test_reserved_requests_count_after_a_crash_only() -> None:
    requests = DailyRequests(300, {})
    requests.spend(NOW_MS)
    saved = requests.saved(NOW_MS, reserved=14)
    assert (requests.spent(NOW_MS), DailyRequests(300, saved).spent(NOW_MS)) == (1, 15)


def test_doctor_sees_what_is_spent() -> None:
    config = StackExchangeConfig()
    assert [(line.limit, line.spent) for line in budget(config, None, NOW_MS)] == [(280, 0)]
    cursor = b'{"requests": {"%d": 40}}' % (NOW_MS // HOUR_MS)
    assert [line.spent for line in budget(config, cursor, NOW_MS)] == [40]
    assert SavedCursor().filter is None


async def test_a_site_that_changes_more_is_asked_more_often() -> None:
    clock = FakeClock()
    schedule = SiteSchedule(["busy", "quiet"], 60, clock, clock.sleep)
    polls = {"busy": 0, "quiet": 0}
    began_at = clock.now
    while clock.now < began_at + DAY_SECONDS:
        name = await schedule.next(280)
        polls[name] += 1
        schedule.observe(name, round((clock.now - began_at) / 60) if name == "busy" else 0)
    assert polls["busy"] > 3 * polls["quiet"] > 0
    assert sum(polls.values()) <= POLL_SHARE * 280 * 1.1


async def test_no_site_is_asked_more_often_than_the_shortest_interval() -> None:
    clock = FakeClock()
    schedule = SiteSchedule(["only"], 300, clock, clock.sleep)
    asked_at = []
    for _ in range(5):
        await schedule.next(1_000_000)
        asked_at.append(clock.now)
    assert {later - earlier for earlier, later in pairwise(asked_at)} == {300}
