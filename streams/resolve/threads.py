"""The thread index: resolve's memory, read from the compacted topic ``stories``.

Owns the map from a thread to its stories, and from a story to its title and to what it was merged into. Must never
write the topic.
"""

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

NEVER = float("inf")
BLOCKED = StoryInfo(NOWHERE, "", "", "", 0)


class Known(NamedTuple):
    """The decision on a thread: its stories (it may belong to none) and when its root post was seen.

    A story may have been merged into another since; see :meth:`ThreadIndex.story_at`.
    """

    stories: tuple[str, ...]
    at_ms: int


class ThreadIndex:
    """Thread to stories, story to its title, and story to the one it was merged into.

    All threads of a story share one tuple of stories, to save memory. Every decision up to ``decided_ms`` is known.
    ``expired`` maps each expired story to when it expired, until its records are removed. ``moved`` and ``commands``
    hold what operators moved and commanded.
    """

    def __init__(self) -> None:
        self._threads: dict[str, Known] = {}
        self._stories: dict[str, StoryInfo] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._shared_with: dict[str, list[tuple[str, ...]]] = {}
        """The shared tuples of several stories, by each of these stories."""
        self._into: dict[str, tuple[str, int]] = {}
        self._merging: dict[str, ThreadRecord] = {}
        self.expired: dict[str, int] = {}
        self.moved: dict[str, Moved] = {}
        self.commands: dict[bytes, OperatorCommand] = {}
        self.decided_ms = 0

    def __len__(self) -> int:
        return len(self._threads)

    def lookup(self, thread: str) -> Known | None:
        """Return the decision on ``thread``; None while there is none."""
        return self._threads.get(thread)

    def story(self, story: str) -> StoryInfo | None:
        """Return the title and more of ``story``; None if it is unknown or its records were removed."""
        return self._stories.get(story)

    def live_stories(self) -> int:
        """Return the number of stories that are neither merged into others nor expired."""
        return len(self._stories) - len(self._into) - len(self.expired)

    def find_story(self, name: str) -> StoryInfo | None:
        """Return the story with the id ``name``, or else with that slug. It may have been merged into another."""
        return self._stories.get(name) or next((one for one in self._stories.values() if one.slug == name), None)

    def current_stories(self, thread: str) -> tuple[str, ...]:
        """Return the stories that ``thread`` belongs to after all merges; none if it is unknown."""
        known = self._threads.get(thread)
        if known is None:
            return ()
        stories = self.stories_at(thread, known.stories, NEVER)
        return tuple(filter(None, (self.story_at(story, NEVER) for story in stories)))

    def stories_at(self, thread: str, stories: tuple[str, ...], at_ms: float) -> tuple[str, ...]:
        """Return the stories of ``thread`` at ``at_ms``: ``stories``, unless an operator moved it before."""
        moved = self.moved.get(thread)
        if moved is None or at_ms <= moved.at_ms:
            return stories
        into = self._stories.get(moved.into)
        others = (story for story in stories if into is None or self._beat(story) != into.beat)
        return (moved.into, *others)

    def story_at(self, story: str, at_ms: float) -> str:
        """Return the story that a signal of ``story`` at ``at_ms`` belongs to, after the merges before that time."""
        while (merged := self._into.get(story)) is not None and at_ms > merged[1]:
            story = merged[0]
        return story

    def accepts(self, story: str, at_ms: int) -> bool:
        """Return whether a signal of ``story`` at ``at_ms`` is used: the story is known and had not expired."""
        return story in self._stories and at_ms <= self.expired.get(story, at_ms)

    def merges_of(self, thread: str) -> list[Merging]:
        """Return the merges that the decision on ``thread`` caused."""
        record = self._merging.get(thread)
        merges = enumerate(record.merged if record is not None else ())
        pairs = [
            (number, self._story_or_blocked(merge.gone), self._story_or_blocked(merge.into)) for number, merge in merges
        ]
        return [
            Merging(record.at_ms, record.sequence, number, gone, into)
            for number, gone, into in pairs
            if record is not None and gone is not None and into is not None
        ]

    def expired_keys(self, expired: Container[str], before_ms: int) -> Iterator[bytes | None]:
        """Yield the key of each record that is only about stories in ``expired``, or about none since ``before_ms``.

        Yield None for each other record, so that the caller can pause anywhere among a million records.
        """
        for thread, known in list(self._threads.items()):
            stories = self.current_stories(thread)
            gone = all(story in expired for story in stories) and (stories or known.at_ms < before_ms)
            yield THREAD_KEY + thread.encode() if gone else None
            if gone and thread in self.moved:
                yield MOVED_KEY + thread.encode()
        for story in list(self._stories):
            yield STORY_KEY + story.encode() if self.story_at(story, NEVER) in expired else None

    def note_decision(self, record: ThreadRecord) -> None:
        """Take in the decision on a thread."""
        stories = tuple(assignment.story for assignment in record.assignments)
        if len(stories) > 1 and stories not in self._shared:
            for story in stories:
                self._shared_with.setdefault(story, []).append(stories)
        self._threads[record.thread] = Known(self._shared.setdefault(stories, stories), record.at_ms)
        if record.merged:
            self._merging[record.thread] = record

    def note_story(self, info: StoryInfo) -> None:
        """Take in a story's new title, merge or expiry."""
        if info.into is not None:
            self._into[info.id] = (info.into, info.merged_ms)
        elif info.forgotten_ms:
            self.expired[info.id] = info.forgotten_ms
        elif info.id in self._into or info.id in self.expired:
            return  # The worker that decides knows this before it reads back its own older records of the story.
        self._stories[info.id] = info

    def apply(self, key: bytes, value: bytes | None) -> ThreadRecord | None:
        """Take in one record of the topic; return it if it is the decision on a thread.

        Raises:
            msgspec.ValidationError: the record is not one of ours. The topic is corrupt, and resolve must stop.
        """
        if value is None:
            self._remove(key)
            return None
        record = decode_stories(key, value)
        match record:
            case ThreadRecord():
                self.note_decision(record)
                return record
            case StoryInfo():
                self.note_story(record)
            case Moved():
                self.moved[record.thread] = record
            case OperatorCommand():
                self.commands[key] = record
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
            self.commands.pop(key, None)
        elif key.startswith(STORY_KEY):
            self._stories.pop(subject, None)
            self._into.pop(subject, None)
            self.expired.pop(subject, None)
            for stories in ((subject,), *self._shared_with.pop(subject, ())):
                self._shared.pop(stories, None)

    def _beat(self, story: str) -> str:
        info = self._stories.get(story)
        return "" if info is None else info.beat

    def _story_or_blocked(self, story: str) -> StoryInfo | None:
        return BLOCKED if story == NOWHERE else self._stories.get(story)
