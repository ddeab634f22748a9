"""The parts of the Lemmy collector that need no socket: who speaks for an item, and whom to leave alone."""

from __future__ import annotations

import pytest

from ingest.platforms.lemmy.communities import MAX_WANTED, CommunitySizes
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.platforms.lemmy.holds import FIRST_SECONDS, MAX_SECONDS, Holds
from ingest.platforms.lemmy.owners import SILENT_MS, Owners
from ingest.platforms.lemmy.posts import Posts, Target
from ingest.signal import Signal
from tests.ingest.fake_clock import FakeClock
from tests.ingest.sites import NOW_MS
from transport.errors import RetryLaterError, SlowDownError

ITEM = "lemmy:home.example/post/1"


def test_the_first_instance_speaks_for_an_item_until_it_is_silent() -> None:
    owners = Owners(10)
    assert owners.accept(ITEM, "a.example", NOW_MS)
    assert not owners.accept(ITEM, "b.example", NOW_MS + 1)
    assert owners.accept(ITEM, "a.example", NOW_MS + 2)
    assert owners.accept(ITEM, "b.example", NOW_MS + 2 + SILENT_MS)
    assert not owners.accept(ITEM, "a.example", NOW_MS + 3 + SILENT_MS)


def test_the_home_instance_speaks_for_its_items_from_when_it_shows_them() -> None:
    owners = Owners(10)
    assert owners.accept(ITEM, "a.example", NOW_MS)
    assert owners.accept(ITEM, "home.example", NOW_MS + 1)
    assert not owners.accept(ITEM, "a.example", NOW_MS + 2)
    assert owners.accept(ITEM, "home.example.evil", NOW_MS) is False


def test_once_the_home_instance_has_spoken_no_other_takes_an_item_back() -> None:
    owners = Owners(10)
    assert owners.accept(ITEM, "a.example", NOW_MS, deleted=True)
    assert owners.accept(ITEM, "home.example", NOW_MS)
    late_ms = NOW_MS + 2 * SILENT_MS
    assert not owners.accept(ITEM, "a.example", late_ms, deleted=True)
    assert owners.accept(ITEM, "a.example", late_ms)


def test_a_post_is_gone_only_where_it_is_asked_for_or_at_home() -> None:
    signal = Signal(
        id=ITEM, kind="post", platform="lemmy", thread=ITEM, title="Shown", created_ms=NOW_MS, observed_ms=NOW_MS
    )
    for host, is_gone in (("evil.example", False), ("asked.example", True), ("home.example", True)):
        posts = Posts(LemmyConfig(), [], lambda: NOW_MS)
        posts.observe(signal, "asked.example", 5)
        gone = posts.gone(Target(ITEM, host, 1), NOW_MS)
        assert [found.deleted for found in gone.signals] == [True] * is_gone
        assert len(posts) == (not is_gone)


def test_owners_are_bounded() -> None:
    owners = Owners(2)
    for number in range(5):
        owners.accept(f"lemmy:a.example/post/{number}", "a.example", NOW_MS)
    assert owners.accept("lemmy:a.example/post/0", "b.example", NOW_MS)
    assert not owners.accept("lemmy:a.example/post/4", "b.example", NOW_MS)


def fail(holds: Holds, host: str, error: Exception) -> None:
    with holds.watching(host):
        raise error


def test_an_instance_that_fails_is_left_alone_longer_each_time() -> None:
    clock = FakeClock()
    holds = Holds(2, clock)
    pauses = []
    for _ in range(8):
        with pytest.raises(RetryLaterError, match=r"a\.example/path"):
            fail(holds, "a.example", RetryLaterError("/path: no response"))
        assert holds.holds("a.example")
        assert not holds.holds("b.example")
        began_at = clock.now
        while holds.holds("a.example"):
            clock.now += 1
        pauses.append(clock.now - began_at)
    assert pauses[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert pauses[-1] == MAX_SECONDS
    with holds.watching("a.example"):
        pass
    with pytest.raises(RetryLaterError):
        fail(holds, "a.example", RetryLaterError("/path: no response"))
    clock.now += FIRST_SECONDS
    assert not holds.holds("a.example")


def test_of_several_instances_one_that_limits_us_is_held_for_as_long_as_it_says() -> None:
    clock = FakeClock()
    holds = Holds(2, clock)
    with pytest.raises(SlowDownError) as raised:
        fail(holds, "a.example", SlowDownError("/path: too many requests", 60))
    assert raised.value.after_seconds == 0
    clock.now += 59
    assert holds.holds("a.example")
    clock.now += 1
    assert not holds.holds("a.example")


def test_a_single_instance_is_held_by_the_loop() -> None:
    holds = Holds(1, FakeClock())
    with pytest.raises(SlowDownError) as raised:
        fail(holds, "a.example", SlowDownError("/path: too many requests", 60))
    assert raised.value.after_seconds == 60
    assert not holds.holds("a.example")


def test_each_size_is_wanted_once_and_again_when_it_is_old() -> None:
    clock = FakeClock()
    sizes = CommunitySizes(3600, clock)
    for _ in range(2):
        sizes.want("tech@a.example", "a.example")
    assert sizes.next() == ("tech@a.example", "a.example")
    assert sizes.next() is None
    sizes.learn("tech@a.example", 7)
    sizes.want("tech@a.example", "a.example")
    assert (sizes.next(), sizes.known["tech@a.example"]) == (None, 7)
    clock.now += 3600
    sizes.want("tech@a.example", "a.example")
    assert sizes.next() is not None
    for number in range(2 * MAX_WANTED):
        sizes.want(f"c{number}@a.example", "a.example")
    assert sum(sizes.next() is not None for _ in range(2 * MAX_WANTED)) == MAX_WANTED
