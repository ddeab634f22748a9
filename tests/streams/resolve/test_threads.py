"""The thread index: what it holds goes with the stories it is about."""

from __future__ import annotations

from streams.records import encode
from streams.records.stories import STORY_KEY, THREAD_KEY, Assignment, ThreadRecord
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS


def test_nothing_is_left_of_threads_that_belonged_to_stories_of_several_beats() -> None:
    index = ThreadIndex()
    threads = [f"x:{number}" for number in range(50)]
    for number, thread in enumerate(threads):
        assigned = tuple(Assignment(f"st_{beat}{number}", beat, "new") for beat in ("ai", "general"))
        index.apply(THREAD_KEY + thread.encode(), encode(ThreadRecord(thread, number, START_MS, assigned)))
    assert len(index) == len(index._shared) == 50
    for number, thread in enumerate(threads):
        index.apply(THREAD_KEY + thread.encode(), None)
        for beat in ("ai", "general"):
            index.apply(STORY_KEY + f"st_{beat}{number}".encode(), None)
    assert (len(index), index._shared, index._shared_with) == (0, {}, {})
