"""A place too busy to be read whole: the share that the collector captures, how it degrades, and what it says.

The bounds leave room below what ``python -m benchmarks.busy_reddit`` prints.
"""

from __future__ import annotations

import pytest

from benchmarks.busy_reddit import run_hubbub, run_praw
from ingest.platforms.reddit import budget
from ingest.platforms.reddit.growth import Growth
from ingest.platforms.reddit.hot_threads import HotThreads

MINUTES = 1.0


def test_a_busy_place_loses_comments_and_no_posts_and_says_how_many() -> None:
    hubbub = run_hubbub("Hubbub", MINUTES)
    praw = run_praw(MINUTES)
    assert hubbub.requests_per_minute < 103
    assert hubbub.posts > 0.99
    assert hubbub.total > 1.3 * praw.total
    assert hubbub.comments > praw.comments
    assert hubbub.missed_said == pytest.approx(hubbub.missed, rel=0.15)


@pytest.mark.parametrize(("factor", "total"), [(0.5, 0.55), (0.25, 0.97), (0.1, 0.99)])
def test_with_less_to_read_less_is_missed(factor: float, total: float) -> None:
    hubbub = run_hubbub("Hubbub", MINUTES, posts=50 * factor, comments=500 * factor)
    assert hubbub.posts > 0.99
    assert hubbub.total > total
    assert hubbub.total > run_praw(MINUTES, posts=50 * factor, comments=500 * factor).total


def test_the_feeds_alone_are_read_for_posts_first() -> None:
    busy = run_hubbub("feeds", 10, key=False, requests_per_minute=6)
    assert busy.requests_per_minute <= 7
    assert busy.posts > 0.15
    assert busy.missed_said == pytest.approx(busy.missed, rel=0.3)
    quieter = run_hubbub("feeds", 10, key=False, requests_per_minute=6, posts=1, comments=5)
    assert quieter.posts > 0.99
    assert quieter.comments > 0.9


def test_what_is_left_over_is_shared_and_the_last_always_gets_some() -> None:
    assert budget.shares(6, {"submissions": 40.0, "comments": 400.0})["comments"] == pytest.approx(0.6)
    assert sum(budget.shares(90, {"submissions": 3.0, "reobserve": 1.0, "comments": 9.0}).values()) == pytest.approx(90)


def test_a_plan_reads_a_listing_before_it_turns_over() -> None:
    plan = budget.plan(50, 5, 40, max_pages=10, request_seconds=0.6)
    assert 50 * plan.seconds < 1_000
    assert plan.pages == 10
    starved = budget.plan(500, 5, 40, max_pages=10, request_seconds=0.6)
    assert (starved.seconds, starved.pages) == (1.5, 1)


def test_a_thread_is_hot_when_the_listing_misses_most_of_it() -> None:
    threads = HotThreads()
    for second in range(60):
        threads.observe(["t3_hot"] * 40 + [f"t3_{second}{n}" for n in range(60)], 400, second * 1_000)
    assert threads.hottest(500, 60_000) == "t3_hot"
    threads.was_read("t3_hot", 450, 500, 60_000)
    assert threads.hottest(500, 61_000) is None
    assert threads.hottest(500, 62_000) == "t3_hot"  # 200 comments a second: 2 s give 320 that the listing misses
    threads.was_read("t3_hot", 3, 500, 62_000)
    assert threads.hottest(500, 64_000) is None  # it gave less than it promised
    assert threads.hottest(500, 66_000) == "t3_hot"


def test_no_thread_is_hot_where_the_listing_shows_everything() -> None:
    threads = HotThreads()
    for second in range(60):
        threads.observe(["t3_hot"] * 100, 0, second * 1_000)
    assert threads.hottest(100, 60_000) is None


def test_growth_is_not_misled_by_a_thing_out_of_order() -> None:
    growth = Growth()
    growth.observe(["t3_1000"], 0, complete=True)
    numbers = range(int("2000", 36), int("2000", 36) + 400, 4)
    names = [f"t3_{_base_36(number)}" for number in (int("1001", 36), *numbers)]
    missed = growth.observe(names, 10_000, complete=False)
    assert missed == pytest.approx((int("2000", 36) - int("1000", 36)) / 4, rel=0.02)
    assert growth.observe(["spam", "t3_"], 11_000, complete=False) == 1


def _base_36(number: int) -> str:
    return (_base_36(number // 36) if number >= 36 else "") + "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]
