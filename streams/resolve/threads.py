"""The thread index: resolve's memory, read from the compacted topic ``stories``.

Owns the map from a thread to its stories, and from a story to its title and to what it was merged into. Must never
write the topic.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from streams.records.skipped import SKIPPED_KEY
from streams.records.stories import (
    MOVED_KEY,
    NOWHERE,
    ORDER_KEY,
    STORY_KEY,
    THREAD_KEY,
    WITHDRAWN_KEY,
    Moved,
    OperatorCommand,
    Reached,
    StoryInfo,
    ThreadRecord,
    Withdrawn,
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

    ``known``: the decision on each thread, up to ``decided_ms`` every one. All threads of a story share one tuple of
    stories, to save memory. ``stories``: the title and more of each story. ``expired`` maps each expired story to when
    it expired. Both keep a story until its records are removed. ``moved`` and ``commands`` hold what operators moved
    and commanded. ``withdrawn``: the threads whose root post was taken back.
    """

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.stories: dict[str, StoryInfo] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._shared_with: dict[str, list[tuple[str, ...]]] = {}
        """The shared tuples of several stories, by each of these stories."""
        self._into: dict[str, tuple[str, int]] = {}
        self._merging: dict[str, ThreadRecord] = {}
        self.expired: dict[str, int] = {}
        self.moved: dict[str, Moved] = {}
        self.commands: dict[bytes, OperatorCommand] = {}
        self.withdrawn: set[str] = set()
        self.decided_ms = 0
        self.skipped: set[bytes] = set()

    def live_stories(self) -> int:
        """Return the number of stories that are neither merged into others nor expired."""
        return len(self.stories) - len(self._into) - len(self.expired)

    def find_story(self, name: str) -> StoryInfo | None:
        """Return the story with the id ``name``, or else with that slug. It may have been merged into another."""
        return self.stories.get(name) or next((one for one in self.stories.values() if one.slug == name), None)

    def current_stories(self, thread: str) -> tuple[str, ...]:
        """Return the stories that ``thread`` belongs to after all merges; none if it is unknown."""
        known = self.known.get(thread)
        stories = () if known is None else self.stories_at(thread, known.stories, NEVER)
        return tuple(filter(None, (self.story_at(story, NEVER) for story in stories)))

    def stories_at(self, thread: str, stories: tuple[str, ...], at_ms: float) -> tuple[str, ...]:
        """Return the stories of ``thread`` at ``at_ms``: ``stories``, unless an operator moved it before."""
        moved = self.moved.get(thread)
        if moved is None or at_ms <= moved.at_ms:
            return stories
        infos = [(story, self.stories.get(story)) for story in stories]
        into = self.stories.get(moved.into)
        others = (story for story, info in infos if info is None or into is None or info.beat != into.beat)
        return (moved.into, *others)

    def story_at(self, story: str, at_ms: float) -> str:
        """Return the story that a signal of ``story`` at ``at_ms`` belongs to, after the merges before that time."""
        while (merged := self._into.get(story)) is not None and at_ms > merged[1]:
            story = merged[0]
        return story

    def merges_of(self, thread: str) -> list[Merging]:
        """Return the merges that the decision on ``thread`` caused."""
        merges: list[Merging] = []
        if (record := self._merging.get(thread)) is not None:
            for number, merge in enumerate(record.merged):
                gone = self.stories.get(merge.gone)
                into = BLOCKED if merge.into == NOWHERE else self.stories.get(merge.into)
                if gone is not None and into is not None:
                    merges.append(Merging(record.at_ms, record.sequence, number, gone, into))
        return merges

    def expired_keys(self, expired: Container[str], before_ms: int) -> Iterator[bytes | None]:
        """Yield the key of each record that is only about stories in ``expired``, or about none since ``before_ms``.

        Yield None for each other record, so that the caller can pause anywhere among a million records.
        """
        for thread, known in list(self.known.items()):
            stories = self.current_stories(thread)
            gone = all(story in expired for story in stories) and (stories or known.at_ms < before_ms)
            yield THREAD_KEY + thread.encode() if gone else None
            if gone and thread in self.moved:
                yield MOVED_KEY + thread.encode()
            if gone and thread in self.withdrawn:
                yield WITHDRAWN_KEY + thread.encode()
        for story in list(self.stories):
            yield STORY_KEY + story.encode() if self.story_at(story, NEVER) in expired else None

    def note_decision(self, record: ThreadRecord | Withdrawn) -> None:
        """Take in the decision on a thread, or that its root post was taken back."""
        if isinstance(record, Withdrawn):
            self.withdrawn.add(record.thread)
            return
        stories = tuple(assignment.story for assignment in record.assignments)
        if len(stories) > 1 and stories not in self._shared:
            for story in stories:
                self._shared_with.setdefault(story, []).append(stories)
        self.known[record.thread] = Known(self._shared.setdefault(stories, stories), record.at_ms)
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
        self.stories[info.id] = info

    def apply(self, key: bytes, value: bytes | None) -> ThreadRecord | Withdrawn | None:
        """Take in one record of the topic; return it if a thread may have waited for it.

        Raises:
            msgspec.ValidationError: the record is not one of ours. The topic is corrupt, and resolve must stop.
        """
        if value is None:
            self._remove(key)
            return None
        if key.startswith(SKIPPED_KEY):
            self.skipped.add(key)
            return None
        record = decode_stories(key, value)
        match record:
            case ThreadRecord() | Withdrawn():
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
            self.known.pop(subject, None)
            self._merging.pop(subject, None)
        elif key.startswith(MOVED_KEY):
            self.moved.pop(subject, None)
        elif key.startswith(WITHDRAWN_KEY):
            self.withdrawn.discard(subject)
        elif key.startswith(ORDER_KEY):
            self.commands.pop(key, None)
        elif key.startswith(STORY_KEY):
            self.stories.pop(subject, None)
            self._into.pop(subject, None)
            self.expired.pop(subject, None)
            for stories in ((subject,), *self._shared_with.pop(subject, ())):
                self._shared.pop(stories, None)
