"""The threads whose story is known: resolve's memory, read from the compacted topic ``stories``.

Owns the look-up from a thread to its stories and from a story to what it is called. Reads; never writes the topic.
"""

from __future__ import annotations

from streams.wire import StoryInfo, ThreadRecord, decode_story, decode_thread

__all__ = ["STORY_KEY", "THREAD_KEY", "ThreadIndex"]

THREAD_KEY = b"t:"
STORY_KEY = b"s:"


class ThreadIndex:
    """Thread to stories, and story to its name.

    Compact on purpose: the tuple of stories is shared by all threads of a story, so that a thread costs its own id and
    a dictionary entry.
    """

    def __init__(self) -> None:
        self._threads: dict[str, tuple[str, ...]] = {}
        self._stories: dict[str, StoryInfo] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._threads)

    def lookup(self, thread: str) -> tuple[str, ...] | None:
        """Return the stories of ``thread``: none of them if it was decided that it has none, None if undecided."""
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
        self._threads[record.thread] = self._shared.setdefault(stories, stories)

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
