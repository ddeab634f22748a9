"""The thread index: the records of an expired story are found and removed with it."""

from __future__ import annotations

from typing import Any

from streams.records import encode
from streams.records.stories import STORY_KEY, THREAD_KEY, Assignment, StoryInfo, ThreadRecord
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS


def test_removing_threads_and_stories_of_several_beats_leaves_nothing() -> None:
    index = ThreadIndex()
    threads = [f"x:{number}" for number in range(50)]
    for number, thread in enumerate(threads):
        assigned = tuple(Assignment(f"st_{beat}{number}", beat, "new") for beat in ("ai", "general"))
        index.apply(THREAD_KEY + thread.encode(), encode(ThreadRecord(thread, number, START_MS, assigned)))
    assert len(index.known) == len(index._shared) == 50
    for number, thread in enumerate(threads):
        index.apply(THREAD_KEY + thread.encode(), None)
        for beat in ("ai", "general"):
            index.apply(STORY_KEY + f"st_{beat}{number}".encode(), None)
    assert (len(index.known), index._shared, index._shared_with) == (0, {}, {})


def story(name: str, **fields: Any) -> StoryInfo:
    return StoryInfo(name, name, name, "beat", 0, **fields)


def test_records_of_merged_and_blocked_threads_expire_with_the_story_they_ended_in() -> None:
    threads = ThreadIndex()
    for number, thread in enumerate(("x:a", "x:b", "x:c")):
        threads.note_decision(ThreadRecord(thread, number, START_MS, (Assignment(f"of {thread}", "beat", "new"),)))
        threads.note_story(story(f"of {thread}"))
    threads.note_decision(ThreadRecord("x:blocked", 3, START_MS, ()))
    threads.note_story(story("of x:a", into="of x:b", merged_ms=START_MS))
    threads.note_story(story("of x:b", forgotten_ms=START_MS + 9))
    left = {key for key in threads.expired_keys({"of x:b"}, START_MS) if key is not None}
    assert left == {b"t:x:a", b"t:x:b", b"s:of x:a", b"s:of x:b"}
    assert b"t:x:blocked" in threads.expired_keys({"of x:b"}, START_MS + 1)
