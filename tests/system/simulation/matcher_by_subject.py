"""A matcher for the simulation: quick, and as dependent on the order of decisions as possible."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import msgspec

from ingest.signal import Signal
from streams.records.stories import Assignment, Lesson, StoryInfo
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.config import MatcherConfig

HOUR_MS = 3_600_000


class BySubject:
    """A matcher by subject. Sometimes a post creates another story of its subject, or merges two stories.

    Which, depends on all posts before.
    """

    def __init__(self, _: Beat, config: MatcherConfig) -> None:
        self._forget_ms = int(config.forget_hours * HOUR_MS)
        self._stories: dict[str, list[str]] = {}
        self._last_ms: dict[str, int] = {}
        self._memory = 0

    def read(self, _: Signal) -> None:
        """Read nothing ahead."""

    def decide(self, signal: Signal, at_ms: int, _: None = None) -> SimpleNamespace:
        subject = signal.thread.partition("p")[0].partition(":")[2]
        live = self._stories.get(subject, [])
        founded = not live or self._memory % 3 == 0
        story = f"st_{signal.id}" if founded else live[-1]
        others = [one for stories in self._stories.values() for one in stories if one != story]
        count = (0, 0, 1, 2)[self._memory % 4]
        merged = tuple(others[: -1 - count : -1] if self._memory % 2 else others[:count])
        self._note(subject, story, merged, at_ms)
        pairs = tuple((gone, story) for gone in merged)
        return SimpleNamespace(story=story, created=founded, stage="new", features=[subject, merged], merged=pairs)

    def adopt(self, info: StoryInfo, assignment: Assignment, at_ms: int) -> None:
        subject, merged = msgspec.json.decode(assignment.features)
        self._note(subject, info.id, tuple(merged), at_ms)

    def merge(self, gone: str, into: str) -> None:
        """Learn nothing."""

    def learn(self, lesson: Lesson, at_ms: int) -> None:
        """Learn nothing."""

    def __contains__(self, story: str) -> bool:
        return any(story in stories for stories in self._stories.values())

    def story(self, story: str) -> StoryInfo:
        return StoryInfo(story, story, story, "beat", 0)

    def expire(self, at_ms: int) -> list[str]:
        gone = [
            one for stories in self._stories.values() for one in stories if self._last_ms[one] < at_ms - self._forget_ms
        ]
        self._leave_out(gone)
        return gone

    def _leave_out(self, gone: Sequence[str]) -> None:
        for stories in self._stories.values():
            stories[:] = [one for one in stories if one not in gone]

    def _note(self, subject: str, story: str, merged: tuple[str, ...], at_ms: int) -> None:
        live = self._stories.setdefault(subject, [])
        self._last_ms[story] = at_ms
        if story not in live:
            live.append(story)
        self._leave_out(merged)
        self._memory = (31 * self._memory + at_ms // 1000) % 1_000_003
