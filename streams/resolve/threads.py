"""The threads whose story is known: resolve's memory, read from the compacted topic ``stories``.

Owns the look-up from a thread to its stories and from a story to what it is called. Reads; never writes the topic.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.wire import StoryInfo, ThreadRecord, decode_story, decode_thread

__all__ = ["STORY_KEY", "THREAD_KEY", "Known", "ThreadIndex"]

THREAD_KEY = b"t:"
STORY_KEY = b"s:"


class Known(NamedTuple):
    """What is known of a thread: its stories (none: it belongs to no story), and when its root post was seen."""

    stories: tuple[str, ...]
    at_ms: int


class ThreadIndex:
    """Thread to stories, and story to its name.

    Compact on purpose: the tuple of stories is shared by all threads of a story.
    """

    def __init__(self) -> None:
        self._threads: dict[str, Known] = {}
        self._stories: dict[str, StoryInfo] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._threads)

    def lookup(self, thread: str) -> Known | None:
        """Return what is known of ``thread``; None while it is undecided."""
        return self._threads.get(thread)

    def story(self, story: str) -> StoryInfo | None:
        """Return what ``story`` is called, or None if it is not known (any more)."""
        return self._stories.get(story)

    def stories(self) -> int:
        """Return how many stories are known."""
        return len(self._stories)

    def note(self, record: ThreadRecord) -> None:
        """Take in a decision."""
        stories = tuple(assignment.story for assignment in record.assignments)
        self._threads[record.thread] = Known(self._shared.setdefault(stories, stories), record.at_ms)

    def apply(self, key: bytes, value: bytes | None) -> ThreadRecord | None:
        """Take in one record of the topic; return it if it was a decision on a thread.

        Raises:
            msgspec.ValidationError: the record is not one of ours; the topic is corrupt, and going on would be a guess.
        """
        if key.startswith(THREAD_KEY):
            if value is None:
                self._threads.pop(key[len(THREAD_KEY) :].decode(), None)
                return None
            record = decode_thread(value)
            self.note(record)
            return record
        if key.startswith(STORY_KEY):
            if value is None:
                gone = self._stories.pop(key[len(STORY_KEY) :].decode(), None)
                if gone is not None:
                    self._shared.pop((gone.id,), None)
            else:
                info = decode_story(value)
                self._stories[info.id] = info
        return None
