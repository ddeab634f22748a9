"""The threads whose story is known: resolve's memory, read from the compacted topic ``stories``.

Owns the look-up from a thread to its stories and from a story to what it is called. Reads; never writes the topic.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from streams.records.stories import (
    MOVED_KEY,
    NOWHERE,
    ORDER_KEY,
    STORY_KEY,
    THREAD_KEY,
    Moved,
    OperatorCommand,
    Reached,
    StoryInfo,
    ThreadRecord,
    decode_stories,
)
from streams.records.story_activity import Merging

__all__ = ["NEVER", "Known", "ThreadIndex"]

NEVER = float("inf")
BLOCKED = StoryInfo(NOWHERE, "", "", "", 0)


class Known(NamedTuple):
    """What is known of a thread: its stories (none: it belongs to no story), and when its root post was seen.

    A story may have been merged into another since; see :meth:`ThreadIndex.at`.
    """

    stories: tuple[str, ...]
    at_ms: int


class ThreadIndex:
    """Thread to stories, story to its name, and story to the one it was merged into.

    Compact on purpose: the tuple of stories is shared by all threads of a story. ``decided_ms``: all decisions up to
    that time are known.
    """

    def __init__(self) -> None:
        self._threads: dict[str, Known] = {}
        self._stories: dict[str, StoryInfo] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._shared_with: dict[str, list[tuple[str, ...]]] = {}
        """Of those, the tuples of several stories, by each of them."""
        self._into: dict[str, tuple[str, int]] = {}
        self._merging: dict[str, ThreadRecord] = {}
        self.forgotten: dict[str, int] = {}
        """When each story was given up that had no new post for too long, until its records go."""
        self.moved: dict[str, Moved] = {}
        self.orders: dict[bytes, OperatorCommand] = {}
        """What operators have ordered, by key."""
        self.decided_ms = 0

    def __len__(self) -> int:
        return len(self._threads)

    def lookup(self, thread: str) -> Known | None:
        """Return what is known of ``thread``; None while it is undecided."""
        return self._threads.get(thread)

    def story(self, story: str) -> StoryInfo | None:
        """Return what ``story`` is called, or None if it is not known (any more)."""
        return self._stories.get(story)

    def stories(self) -> int:
        """Return how many stories are known, and neither merged into others nor forgotten."""
        return len(self._stories) - len(self._into) - len(self.forgotten)

    def by_now(self, thread: str) -> tuple[str, ...]:
        """Return the stories that ``thread`` belongs to after all merges; none if it is not known."""
        known = self._threads.get(thread)
        if known is None:
            return ()
        return tuple(filter(None, (self.at(story, NEVER) for story in self.of(thread, known.stories, NEVER))))

    def of(self, thread: str, stories: tuple[str, ...], at_ms: float) -> tuple[str, ...]:
        """Return the stories of ``thread`` at ``at_ms``: ``stories``, unless an operator has moved it before."""
        moved = self.moved.get(thread)
        if moved is None or at_ms <= moved.at_ms:
            return stories
        into = self._stories.get(moved.into)
        others = (story for story in stories if into is None or self._beat(story) != into.beat)
        return (moved.into, *others)

    def _beat(self, story: str) -> str:
        info = self._stories.get(story)
        return "" if info is None else info.beat

    def named(self, name: str) -> StoryInfo | None:
        """Return the story with the id ``name`` or else the slug; by now it may have been merged into another."""
        return self._stories.get(name) or next((one for one in self._stories.values() if one.slug == name), None)

    def at(self, story: str, at_ms: float) -> str:
        """Return the story that what is said in ``story`` at ``at_ms`` belongs to.

        Another one, if it had been merged into that before.
        """
        while (merged := self._into.get(story)) is not None and at_ms > merged[1]:
            story = merged[0]
        return story

    def merges(self, thread: str) -> list[Merging]:
        """Return the merges that the decision on ``thread`` brought about."""
        record = self._merging.get(thread)
        merges = enumerate(record.merged if record is not None else ())
        named = [(number, self._named(merge.gone), self._named(merge.into)) for number, merge in merges]
        return [
            Merging(record.at_ms, record.sequence, number, gone, into)
            for number, gone, into in named
            if record is not None and gone is not None and into is not None
        ]

    def _named(self, story: str) -> StoryInfo | None:
        return BLOCKED if story == NOWHERE else self._stories.get(story)

    def is_used(self, story: str, at_ms: int) -> bool:
        """Say whether what is said in ``story`` at ``at_ms`` is used: it is known, and not forgotten before that."""
        return story in self._stories and at_ms <= self.forgotten.get(story, at_ms)

    def leavings(self, forgotten: Container[str], before_ms: int) -> Iterator[bytes | None]:
        """Yield the key of each record that tells of stories in ``forgotten`` only, or of none since ``before_ms``.

        And None for each other record, so that whoever asks may pause at any of a million.
        """
        for thread, known in list(self._threads.items()):
            stories = self.by_now(thread)
            gone = all(story in forgotten for story in stories) and (stories or known.at_ms < before_ms)
            yield THREAD_KEY + thread.encode() if gone else None
            if gone and thread in self.moved:
                yield MOVED_KEY + thread.encode()
        for story in list(self._stories):
            yield STORY_KEY + story.encode() if self.at(story, NEVER) in forgotten else None

    def note(self, record: ThreadRecord) -> None:
        """Take in a decision."""
        stories = tuple(assignment.story for assignment in record.assignments)
        if len(stories) > 1 and stories not in self._shared:
            for story in stories:
                self._shared_with.setdefault(story, []).append(stories)
        self._threads[record.thread] = Known(self._shared.setdefault(stories, stories), record.at_ms)
        if record.merged:
            self._merging[record.thread] = record

    def apply(self, key: bytes, value: bytes | None) -> ThreadRecord | None:
        """Take in one record of the topic; return it if it was a decision on a thread.

        Raises:
            msgspec.ValidationError: the record is not one of ours; the topic is corrupt, and going on would be a guess.
        """
        if value is None:
            self._remove(key)
            return None
        record = decode_stories(key, value)
        match record:
            case ThreadRecord():
                self.note(record)
                return record
            case Moved():
                self.moved[record.thread] = record
            case OperatorCommand():
                self.orders[key] = record
            case StoryInfo():
                self._apply_story(record)
            case Reached():
                self.decided_ms = max(self.decided_ms, record.mark_ms)
        return None

    def _remove(self, key: bytes) -> None:
        subject = key[2:].decode()
        if key.startswith(THREAD_KEY):
            self._threads.pop(subject, None)
            self._merging.pop(subject, None)
        elif key.startswith(MOVED_KEY):
            self.moved.pop(subject, None)
        elif key.startswith(ORDER_KEY):
            self.orders.pop(key, None)
        elif key.startswith(STORY_KEY):
            self._stories.pop(subject, None)
            self._into.pop(subject, None)
            self.forgotten.pop(subject, None)
            for stories in ((subject,), *self._shared_with.pop(subject, ())):
                self._shared.pop(stories, None)

    def _apply_story(self, info: StoryInfo) -> None:
        story = info.id
        if info.into is not None:
            self._into[story] = (info.into, info.merged_ms)
        elif info.forgotten_ms:
            self.forgotten[story] = info.forgotten_ms
        elif story in self._into or story in self.forgotten:
            return  # The one who decides knows before it reads its own records, from the first of them on.
        self._stories[story] = info
