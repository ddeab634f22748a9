"""The router releases the same signals whenever decisions come and wherever it resumes."""

from __future__ import annotations

import random

from msgspec.structs import replace

from ingest.signal import Signal, decode, encode
from streams.records import encode as wire_encode
from streams.records.stories import MOVED_KEY, NOWHERE, Assignment, Moved, ThreadRecord
from streams.resolve.reorder import ResumePoint
from streams.resolve.route import BEGINNING, Ignored, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, reply, root
from tests.streams.resolve.routing import (
    CONFIG,
    IRRELEVANT,
    Released,
    Runs,
    assignments,
    name_story,
    relevance,
    run,
    source,
)


def by_the_rule(records: list[Signal | None]) -> Released:
    """Return what must be released: the signals of a thread after its post, or at most a minute before it."""
    times, time_ms, posts = [], 0, dict[str, int]()
    for signal in records:
        time_ms = time_ms if signal is None else max(time_ms, signal.observed_ms)
        times.append(time_ms)
        if signal is not None and signal.is_root and not signal.deleted:
            posts.setdefault(signal.thread, time_ms)
    return {
        (assignment.story, offset): max(times[offset], posts[signal.thread])
        for offset, signal in enumerate(records)
        if signal is not None and signal.thread in posts and signal.thread not in IRRELEVANT
        if times[offset] >= posts[signal.thread] - CONFIG.orphan_wait_ms
        for assignment in assignments(signal.thread)
    }


def actions(chance: random.Random) -> list[tuple[str, int]]:
    """Generate a sequence of actions."""
    kinds = ("read", "read", "decide", "take", "take", "crash")
    return [(chance.choice(kinds), chance.randrange(1, 6)) for _ in range(chance.randrange(30))]


def test_restarts_and_slow_decisions_do_not_change_what_is_released() -> None:
    for seed in range(2_000):
        chance = random.Random(seed)
        records = source(chance)
        assert run(records, actions(chance)) == by_the_rule(records), f"seed {seed}"


def test_the_resume_point_never_passes_a_signal_that_waits() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        runs = Runs(source(chance))
        for action, number in actions(chance):
            if action == "read":
                runs.read(number)
            elif action == "decide":
                runs.decide(number)
            runs.take()
            waiting = runs.router.position - runs.began - runs.outcomes
            point = runs.router.resume_point
            assert (point.offset < runs.router.position) == (waiting > 0)
            assert runs.router.position - point.offset >= waiting
            if waiting == 0:
                assert point.stream_ms == runs.router.stream_ms


def test_each_unused_signal_is_counted_with_its_reason() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, RouterConfig(orphan_wait_ms=60_000, orphans=2), BEGINNING)

    def read(offset: int, signal: Signal, monotonic: float = 0.0) -> None:
        router.read(offset, encode(signal), signal, monotonic)

    read(0, root("x:no", 0))
    read(1, reply("x:no", 1, 0))
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 2}

    read(2, reply("x:a", 1, 0))
    read(3, root("x:a", 70_000))  # more than a minute after the reply
    batch = router.take_batch()
    assert batch.ignored == {Ignored.ORPHAN: 1}
    assert [decode(bytes(entry.signal)).id for _, entry in batch.candidates] == ["x:a"]

    for number in range(3):
        read(4 + number, reply("x:b", number, 70_000), monotonic=5.0)
    assert router.take_batch().ignored == {Ignored.ORPHAN: 1}, "two may wait, so the oldest is dropped"
    assert router.take_batch(idle_since=5.0).ignored == {}, "while signals arrive, event time limits the wait"
    assert router.take_batch(idle_since=5.1).ignored == {Ignored.ORPHAN: 2}, "in silence, the clock does"
    assert router.resume_point == ResumePoint(3, START_MS + 70_000)

    threads.note_decision(ThreadRecord("x:a", 0, START_MS + 70_000, ()))
    router.decided("x:a")
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 1}, "a thread of no watched beat"
    assert router.resume_point == ResumePoint(7, START_MS + 70_000)


def test_relevance_is_asked_again_for_every_observation_of_a_root_post() -> None:
    lines = [root("x:a", 0, title="before"), reply("x:a", 1, 1), root("x:a", 60_000, title="it is relevant after all")]
    for begins in (0, 2):
        router = Router(
            lambda signal: ("beat",) * ("relevant" in (signal.title or "")), ThreadIndex(), CONFIG, BEGINNING
        )
        for offset, signal in enumerate(lines[begins:], begins):
            router.read(offset, encode(signal), signal, 0.0)
        batch = router.take_batch()
        assert [decode(bytes(entry.signal)) for _, entry in batch.candidates] == [lines[2]]
        assert batch.ignored == ({Ignored.IRRELEVANT: 2} if begins == 0 else {})


def test_a_thread_whose_replies_keep_coming_stays_remembered_as_irrelevant() -> None:
    router = Router(lambda _: (), ThreadIndex(), RouterConfig(remember_irrelevant=2), BEGINNING)
    router.read(0, b"{}", root("x:no", 0), 0.0)
    for number in range(20):
        router.read(2 * number + 1, b"{}", reply("x:no", number, 0), 0.0)
        router.read(2 * number + 2, b"{}", root(f"x:nor{number}", 0), 0.0)
    assert router.take_batch().ignored == {Ignored.IRRELEVANT: 41}


def test_an_undecided_post_holds_back_the_released_time_until_its_timeout() -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    for offset, signal in enumerate((root("x:a", 10_000), root("x:b", 20_000), reply("x:b", 1, 30_000))):
        router.read(offset, b"{}", signal, float(offset))
    assert router.read_ms(idle=False) == START_MS + 29_999, "more records of the latest time may follow"
    assert router.read_ms(idle=True) == START_MS + 30_000
    assert router.released_ms(waiting_since=0.0) == START_MS + 9_999
    assert router.released_ms(waiting_since=1.0) == START_MS + 19_999
    assert router.released_ms(waiting_since=3.0) is None


def test_live_a_signal_passes_at_once_and_is_marked_if_another_story_may_have_it() -> None:
    threads = ThreadIndex()
    router = Router(relevance, threads, CONFIG, BEGINNING)
    for thread in ("x:a", "x:b"):
        threads.note_decision(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    name_story(threads, "of x:a", into="of x:b", merged_ms=START_MS + 5)
    for offset, signal in enumerate((reply("x:a", 1, 5), reply("x:a", 2, 6), reply("x:b", 3, 7))):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take_batch()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert [entry.offset for entry in batch.redirected["of x:b"]] == [1]
    assert [entry.offset for entry in batch.stories["of x:b"]] == [2]


def test_a_source_that_waits_for_its_own_time_cannot_drain() -> None:
    router = Router(relevance, ThreadIndex(), CONFIG, BEGINNING)
    router.release_until(START_MS)
    for offset in range(100):
        router.read(offset, b"{}", reply("x:a", offset, 10) if offset else root("x:a", 10), 0.0)
    assert (router.waiting, router.can_drain) == (100, False), "only a later record ends this time"
    router.read(100, b"{}", reply("x:a", 100, 11), 0.0)
    assert router.can_drain


def test_an_expired_story_takes_no_later_signal_and_its_posts_create_no_story() -> None:
    week_ms = CONFIG.forget_ms
    threads = ThreadIndex()
    threads.note_decision(ThreadRecord("x:a", 0, START_MS, (Assignment("of x:a", "beat", "new"),)))
    name_story(threads, "of x:a")
    name_story(threads, "of x:a", forgotten_ms=START_MS + week_ms + 10)
    name_story(threads, "of x:a")  # its older record, which the deciding worker reads back later
    router = Router(relevance, threads, CONFIG, BEGINNING)
    again = replace(root("x:a", 0), observed_ms=START_MS + week_ms + 11)
    for offset, signal in enumerate((reply("x:a", 1, week_ms + 10), reply("x:a", 2, week_ms + 11), again)):
        router.read(offset, b"{}", signal, 0.0)
    batch = router.take_batch()
    assert [entry.offset for entry in batch.stories["of x:a"]] == [0]
    assert batch.ignored == {Ignored.FORGOTTEN: 2}

    left = [key for key in threads.expired_keys({"of x:a"}, 0) if key is not None]
    assert left == [b"t:x:a", b"s:of x:a"]
    for key in left:
        threads.apply(key, None)
    assert (threads.known, threads.live_stories(), threads.expired) == ({}, 0, {})
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.read(3, b"{}", again, 0.0)
    router.read(4, b"{}", reply("x:a", 3, week_ms + 12), 0.0)
    router.read(5, b"{}", reply("x:b", 1, week_ms + 90_000), 0.0)
    batch = router.take_batch()
    assert (batch.candidates, batch.ignored) == ([], {Ignored.FORGOTTEN: 1, Ignored.ORPHAN: 1})


def test_a_moved_thread_and_a_blocked_story_take_effect_from_their_time_on() -> None:
    threads = ThreadIndex()
    for thread in ("x:a", "x:b"):
        threads.note_decision(ThreadRecord(thread, 0, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        name_story(threads, f"of {thread}")
    threads.apply(MOVED_KEY + b"x:a", wire_encode(Moved("x:a", "of x:b", START_MS + 1)))
    name_story(threads, "of x:b", into=NOWHERE, merged_ms=START_MS + 5)
    router = Router(relevance, threads, CONFIG, BEGINNING)
    router.release_until(START_MS + 9)
    for offset, at_ms in enumerate((1, 2, 5, 6)):
        router.read(offset, b"{}", reply("x:a", offset, at_ms), 0.0)
    batch = router.take_batch()
    places = {story: [entry.offset for entry in entries] for story, entries in batch.stories.items()}
    assert places == {"of x:a": [0], "of x:b": [1, 2]}
    assert (batch.used, batch.ignored) == (3, {Ignored.BLOCKED: 1})
