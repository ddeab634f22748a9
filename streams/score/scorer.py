"""One partition of stories: applies signals behind the watermark, decides at ticks, says what to write.

Owns the order in which things happen to stories: signals by (``at_ms``, source, offset), and between them ticks of
event time, at which spikes and states are decided. So the same log gives the same decisions, however fast it is read
and in whatever order partitions advance. Pure: reads no clock, writes nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingest.signal import Signal
from scoring import Reading, Score, Tier, score
from streams.score.agenda import Agenda
from streams.score.assessing import StoryAssessor, unassessed
from streams.score.config import ScoreConfig
from streams.score.deciding import decide, fades_in_ms
from streams.score.records import Event, event, score_record
from streams.score.state import Emitted, Story
from streams.watermark import Patience, Watermark
from streams.wire import Activity, StoryInfo

__all__ = ["Outcome", "PartitionScorer", "Reader"]

DAY_MS = 86_400_000
FADE_SECONDS = 1.0
NEVER = float("inf")


class Reader(Protocol):
    """Finds in a signal's text what scoring wants to know of it."""

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """The tier of each public figure it can find, by id."""
        ...

    def __call__(self, signal: Signal) -> Reading:
        """Return what the text of ``signal`` says."""
        ...


@dataclass(slots=True)
class Outcome:
    """What is to be written, by story (None: deleted), and which events are done once it is, in the order they came.

    Scores and events go first: what a state says was told has been told. ``scored_observations_ms``: when the
    signals were observed that an emitted score covers for the first time.
    """

    watermark_ms: int = 0
    settled: str = ""
    states: dict[str, bytes | None] = field(default_factory=dict)
    scores: dict[str, bytes | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    done: list[object] = field(default_factory=list)
    scored_observations_ms: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Parcel:
    """One record of ``story-activity``: done when all it carries is applied."""

    event: object
    left: int


@dataclass(slots=True, frozen=True)
class _Held:
    """One signal that waits for the watermark."""

    source: int
    offset: int
    story: StoryInfo
    signal: Signal
    parcel: _Parcel


@dataclass(slots=True)
class _Lane:
    """What one source has sent for one story and is not applied yet."""

    held: int = 0
    low: int = 0


class PartitionScorer:
    """The stories of one partition of ``story-activity``."""

    def __init__(
        self,
        stored: Mapping[bytes, bytes],
        config: ScoreConfig,
        read: Reader,
        assess: StoryAssessor = unassessed,
    ) -> None:
        """``stored``: what the table holds of this partition, by story id."""
        self._config = config
        self._read = read
        self._assess = assess
        self._stories = {key.decode(): Story.decode(value) for key, value in stored.items()}
        lately_ms = max((story.at_ms for story in self._stories.values()), default=0)
        self._watermark = Watermark(Patience(live_seconds=config.patience_seconds), lately_ms)
        self._due = Agenda()
        self._fading = Agenda()
        # Changes that were not told, by when they began to wait (monotonic seconds), the first of them first.
        self._changed: OrderedDict[str, float] = OrderedDict()
        for name, story in self._stories.items():
            if story.due_ms:
                self._due.put(name, story.due_ms)
            if story.untold:
                self._changed[name] = 0.0
            self._await_fading(name, story)
        self._held: list[tuple[int, int, int, int, _Held]] = []
        self._count = itertools.count()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._parcels: deque[_Parcel] = deque()
        self._time_ms = 0
        self._settled = ""
        self._faded_at = 0.0
        self._fresh_ms: dict[str, list[int]] = {}

    @property
    def live(self) -> int:
        """How many stories are held."""
        return len(self._stories)

    def take(self, activity: Activity, event_: object, monotonic: float) -> None:
        """Take in one record; ``event_`` is handed back in ``Outcome.done`` when all it carries is applied."""
        self._watermark.update(activity.mark, monotonic)
        parcel = _Parcel(event_, 0 if activity.story is None else len(activity.entries))
        self._parcels.append(parcel)
        if activity.story is None or not activity.entries:
            return
        source = activity.mark.source
        for entry in activity.entries:
            held = _Held(source, entry.offset, activity.story, entry.signal, parcel)
            # The count keeps a record that was delivered twice from comparing what cannot be compared.
            heapq.heappush(self._held, (entry.at_ms, source, entry.offset, next(self._count), held))
        lane = self._lanes.setdefault((activity.story.id, source), _Lane())
        lane.held += len(activity.entries)
        lane.low = max(lane.low, activity.low)

    def advance(self, now_ms: int, monotonic: float) -> Outcome:
        """Apply and decide what the watermark has passed, and say what to write.

        ``now_ms``: the clock, by which time moves on when nothing comes in live.
        """
        watermark_ms = max(self._time_ms, self._watermark.advance(now_ms, monotonic))
        outcome = Outcome(watermark_ms)
        while (tick_ms := self._next_tick()) <= watermark_ms:
            self._tick(tick_ms, outcome)
        self._apply_until(watermark_ms, outcome)
        self._time_ms = watermark_ms
        for name in outcome.states:
            if (story := self._stories.get(name)) is not None:
                story.untold = True
                self._changed.setdefault(name, monotonic)
        self._emit_moved(outcome)
        self._emit_faded(monotonic, outcome)
        self._emit_late(monotonic, outcome)
        self._settle(outcome)
        for name in outcome.states:
            if (story := self._stories.get(name)) is not None:
                story.at_ms = self._now(story)
            outcome.states[name] = None if story is None else story.encode()
        # In the order they came, since Faust takes an offset for a claim on all before it.
        while self._parcels and self._parcels[0].left == 0:
            outcome.done.append(self._parcels.popleft().event)
        return outcome

    def _next_tick(self) -> float:
        """Return the next tick at which there is something to decide."""
        nexts = [self._held[0][0]] if self._held else []
        if (due_ms := self._due.next_ms) is not None:
            nexts.append(due_ms)
        return self._tick_at(min(nexts), self._time_ms) if nexts else NEVER

    def _tick_at(self, at_ms: int, after_ms: int) -> int:
        """Return the first tick at or after ``at_ms`` and past ``after_ms``."""
        grid_ms = self._config.tick_ms
        return max(-(-at_ms // grid_ms), after_ms // grid_ms + 1) * grid_ms

    def _now(self, story: Story) -> int:
        """Return the time that ``story`` has come to: after a restart, the partition has to catch up with it."""
        return max(self._time_ms, story.at_ms)

    def _tick(self, tick_ms: float, outcome: Outcome) -> None:
        """Apply what came until this tick, then decide on every story that it, or time alone, may have changed."""
        at_ms = int(tick_ms)
        self._apply_until(at_ms, outcome)
        for name in self._due.take(at_ms):
            self._decide(name, at_ms, outcome)
        self._time_ms = at_ms

    def _decide(self, name: str, at_ms: int, outcome: Outcome) -> None:
        story = self._stories[name]
        ledger = story.scoring.ledger
        before = story.scoring.lifecycle, story.scoring.spike, ledger.assessment
        ledger.assessment = self._assess(name, ledger, at_ms)
        outcome.events.extend(decide(story, self._score(story, at_ms), at_ms))
        if story.due_ms:
            self._due.put(name, story.due_ms)
        lifecycle = story.scoring.lifecycle
        if before != (lifecycle, story.scoring.spike, ledger.assessment):
            outcome.states[name] = None
        if lifecycle.state == "resolved":
            self._retire(name, story, at_ms, outcome)

    def _retire(self, name: str, story: Story, at_ms: int, outcome: Outcome) -> None:
        """Forget a resolved story when its time has come; until then, make sure to look again."""
        gone_ms = story.scoring.lifecycle.entered_ms + int(self._config.retention_days * DAY_MS)
        if at_ms < gone_ms:
            story.due_ms = gone_ms
            self._due.put(name, gone_ms)
            return
        del self._stories[name]
        self._due.drop(name)
        self._fading.drop(name)
        self._changed.pop(name, None)
        self._fresh_ms.pop(name, None)
        outcome.states[name] = None
        outcome.scores[name] = None

    def _apply_until(self, until_ms: int, outcome: Outcome) -> None:
        while self._held and self._held[0][0] <= until_ms:
            at_ms, *_, held = heapq.heappop(self._held)
            self._apply(at_ms, held, outcome)
            held.parcel.left -= 1

    def _apply(self, at_ms: int, held: _Held, outcome: Outcome) -> None:
        name, signal = held.story.id, held.signal
        story = self._stories.get(name)
        if story is None:
            story = self._stories[name] = Story(held.story)
            outcome.events.append(event("new_story", held.story, at_ms))
        story.info = held.story
        outcome.states[name] = None
        if story.delivered.take(held.source, held.offset):
            ledger = story.scoring.ledger
            ledger.apply(signal, self._read(signal))
            if ledger.assessment is None:
                ledger.assessment = self._assess(name, ledger, max(at_ms, self._now(story)))
            self._fresh_ms.setdefault(name, []).append(signal.observed_ms)
            tick_ms = self._tick_at(at_ms, self._now(story))
            if not story.due_ms or tick_ms < story.due_ms:
                story.due_ms = tick_ms
                self._due.put(name, tick_ms)
        lane = self._lanes[name, held.source]
        lane.held -= 1
        if lane.held == 0:
            # Only now: a parcel that came earlier may have held an offset below the mark of a later one.
            story.delivered.raise_low(held.source, lane.low)
            del self._lanes[name, held.source]

    def _score(self, story: Story, at_ms: int) -> Score:
        return score(story.scoring.ledger, at_ms, tiers=self._read.tiers)

    def _emit_moved(self, outcome: Outcome) -> None:
        """Emit the scores that have moved, and the states that have changed."""
        for name in outcome.states:
            story = self._stories.get(name)
            if story is None:
                continue
            scored = self._score(story, self._now(story))
            if _has_moved(story, scored, self._config.emit_change_points):
                self._emit(name, story, scored, outcome)

    def _emit_faded(self, monotonic: float, outcome: Outcome) -> None:
        """Emit the scores of quiet stories that have decayed far enough to be told.

        Once a second at most: in a replay hours pass between two calls, and every story fades in each of them.
        """
        if monotonic - self._faded_at < FADE_SECONDS:
            return
        self._faded_at = monotonic
        for name in self._fading.take(self._time_ms):
            story = self._stories[name]
            self._emit(name, story, self._score(story, self._now(story)), outcome)

    def _emit_late(self, monotonic: float, outcome: Outcome) -> None:
        """Emit the small changes that have waited long enough."""
        while self._changed:
            name, since = next(iter(self._changed.items()))
            if monotonic - since < self._config.emit_within_seconds:
                return
            story = self._stories[name]
            self._emit(name, story, self._score(story, self._now(story)), outcome)

    def _settle(self, outcome: Outcome) -> None:
        """When a replay has ended, decide and score every story at the time it ended, so that any replay ends alike."""
        settle = self._watermark.settle
        if not settle or settle == self._settled or self._held:
            return
        for name in sorted(self._stories):
            self._decide(name, self._now(self._stories[name]), outcome)
        for name, story in self._stories.items():
            scored = self._score(story, self._now(story))
            if name in self._changed or _has_moved(story, scored, 0.0):
                self._emit(name, story, scored, outcome)
        self._settled = outcome.settled = settle

    def _emit(self, name: str, story: Story, scored: Score, outcome: Outcome) -> None:
        last, state, at_ms = story.emitted, story.scoring.lifecycle.state, self._now(story)
        previous = None if last is None else last.noise
        outcome.scores[name] = score_record(
            story.info, scored, story.scoring.ledger.exhibits, state=state, previous=previous, at_ms=at_ms
        )
        if last is not None:
            details = {"noise": scored.noise, "previous": last.noise, "state": state}
            outcome.events.append(event("noise_update", story.info, at_ms, **details))
        outcome.states[name] = None
        story.emitted = Emitted(scored.noise, state, at_ms)
        story.untold = False
        self._await_fading(name, story)
        outcome.scored_observations_ms.extend(self._fresh_ms.pop(name, ()))
        self._changed.pop(name, None)

    def _await_fading(self, name: str, story: Story) -> None:
        """Note when a quiet story will have decayed far enough to be told of."""
        last = story.emitted
        fades_ms = None if last is None else fades_in_ms(last.noise, self._config.emit_change_points)
        if last is None or fades_ms is None:
            self._fading.drop(name)
        else:
            self._fading.put(name, last.at_ms + fades_ms)


def _has_moved(story: Story, scored: Score, points: float) -> bool:
    """Return whether, since they were told, the score has moved by ``points`` (0: at all) or the state changed."""
    last = story.emitted
    if last is None or last.state != story.scoring.lifecycle.state:
        return True
    moved = abs(scored.noise - last.noise)
    return moved > 0 and moved >= points
