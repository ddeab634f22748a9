"""One partition of stories: applies signals behind the watermark, decides at ticks, says what to write.

Owns the order in which things happen to stories: signals by (``at_ms``, source, offset), and between them ticks of
event time, at which spikes and states are decided. So the same log gives the same decisions, however fast it is read
and in whatever order partitions advance. Pure: reads no clock, writes nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingest.signal import Signal
from scoring import Reading, Score, Tier, score
from streams.score.config import ScoreConfig
from streams.score.deciding import decide, fades_in_ms
from streams.score.records import Event, event, score_record
from streams.score.state import Emitted, Story
from streams.watermark import Patience, Watermark
from streams.wire import Activity, StoryInfo

__all__ = ["Outcome", "PartitionScorer", "Reader"]

DAY_MS = 86_400_000
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
    """What is to be written, by story (None: deleted), and which events are done once it is.

    ``scored_observations_ms``: observation times of the signals newly covered by an emitted score.
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

    def __init__(self, stored: Mapping[bytes, bytes], config: ScoreConfig, read: Reader) -> None:
        """``stored``: what the table holds of this partition, by story id."""
        self._config = config
        self._read = read
        self._watermark = Watermark(Patience(live_seconds=config.patience_seconds))
        self._stories = {key.decode(): Story.decode(value) for key, value in stored.items()}
        self._due = [(story.due_ms, name) for name, story in self._stories.items() if story.due_ms]
        heapq.heapify(self._due)
        self._held: list[tuple[int, int, int, int, _Held]] = []
        self._count = itertools.count()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._done: list[object] = []
        self._time_ms = 0
        self._settled = ""
        self._fading: list[tuple[int, str, Emitted]] = []
        # Whether what is stored was also told, nobody knows: it is told again.
        self._changed: dict[str, float] = dict.fromkeys(self._stories, 0.0)
        self._fresh_ms: dict[str, list[int]] = {}

    @property
    def live(self) -> int:
        """How many stories are held."""
        return len(self._stories)

    def take(self, activity: Activity, event_: object, monotonic: float) -> None:
        """Take in one record; ``event_`` is handed back in ``Outcome.done`` when all it carries is applied."""
        self._watermark.update(activity.mark, monotonic)
        parcel = _Parcel(event_, len(activity.entries))
        if activity.story is None or not activity.entries:
            self._done.append(event_)
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
        touched: dict[str, None] = {}
        while (tick_ms := self._next_tick()) <= watermark_ms:
            self._tick(tick_ms, touched, outcome)
        self._apply_until(watermark_ms, touched, outcome)
        self._time_ms = watermark_ms
        for name in touched:
            if name in self._stories:
                self._changed.setdefault(name, monotonic)
        self._emit_moved(touched, outcome)
        self._emit_faded(outcome)
        self._emit_late(monotonic, outcome)
        self._settle(touched, outcome)
        for name in touched:
            story = self._stories.get(name)
            outcome.states[name] = None if story is None else story.encode()
        outcome.done, self._done = self._done, []
        return outcome

    def _next_tick(self) -> float:
        """Return the next tick at which there is something to decide."""
        nexts = [times[0][0] for times in (self._held, self._due) if times]
        return self._tick_at(min(nexts)) if nexts else NEVER

    def _tick_at(self, at_ms: int) -> int:
        """Return the first tick at or after ``at_ms`` that is still to come."""
        grid_ms = self._config.tick_ms
        return max(-(-at_ms // grid_ms), self._time_ms // grid_ms + 1) * grid_ms

    def _tick(self, tick_ms: float, touched: dict[str, None], outcome: Outcome) -> None:
        """Apply what came until this tick, then decide on every story that it, or time alone, may have changed."""
        at_ms = int(tick_ms)
        self._apply_until(at_ms, touched, outcome)
        due: set[str] = set()
        while self._due and self._due[0][0] <= at_ms:
            due_ms, name = heapq.heappop(self._due)
            if (story := self._stories.get(name)) is not None and story.due_ms == due_ms:
                due.add(name)
        for name in sorted(due):
            self._decide(name, at_ms, touched, outcome)
        self._time_ms = at_ms

    def _decide(self, name: str, at_ms: int, touched: dict[str, None], outcome: Outcome) -> None:
        story = self._stories[name]
        before = story.scoring.lifecycle, story.scoring.spike
        outcome.events.extend(decide(story, self._score(story, at_ms), at_ms))
        if story.due_ms:
            heapq.heappush(self._due, (story.due_ms, name))
        lifecycle = story.scoring.lifecycle
        if before != (lifecycle, story.scoring.spike):
            touched[name] = None
        if lifecycle.state == "resolved":
            self._retire(name, story, at_ms, touched, outcome)

    def _retire(self, name: str, story: Story, at_ms: int, touched: dict[str, None], outcome: Outcome) -> None:
        """Forget a resolved story when its time has come; until then, make sure to look again."""
        gone_ms = story.scoring.lifecycle.entered_ms + int(self._config.retention_days * DAY_MS)
        if at_ms < gone_ms:
            story.due_ms = gone_ms
            heapq.heappush(self._due, (gone_ms, name))
            return
        del self._stories[name]
        self._changed.pop(name, None)
        self._fresh_ms.pop(name, None)
        touched[name] = None
        outcome.scores[name] = None

    def _apply_until(self, until_ms: int, touched: dict[str, None], outcome: Outcome) -> None:
        while self._held and self._held[0][0] <= until_ms:
            at_ms, *_, held = heapq.heappop(self._held)
            self._apply(at_ms, held, touched, outcome)
            held.parcel.left -= 1
            if held.parcel.left == 0:
                self._done.append(held.parcel.event)

    def _apply(self, at_ms: int, held: _Held, touched: dict[str, None], outcome: Outcome) -> None:
        name, signal = held.story.id, held.signal
        story = self._stories.get(name)
        if story is None:
            story = self._stories[name] = Story(held.story)
            outcome.events.append(event("new_story", held.story, at_ms))
        story.info = held.story
        touched[name] = None
        if story.delivered.take(held.source, held.offset):
            story.scoring.ledger.apply(signal, self._read(signal))
            self._fresh_ms.setdefault(name, []).append(signal.observed_ms)
            tick_ms = self._tick_at(at_ms)
            if not story.due_ms or tick_ms < story.due_ms:
                story.due_ms = tick_ms
                heapq.heappush(self._due, (tick_ms, name))
        lane = self._lanes[name, held.source]
        lane.held -= 1
        if lane.held == 0:
            # Only now: a parcel that came earlier may have held an offset below the mark of a later one.
            story.delivered.raise_low(held.source, lane.low)
            del self._lanes[name, held.source]

    def _score(self, story: Story, at_ms: int) -> Score:
        return score(story.scoring.ledger, at_ms, tiers=self._read.tiers)

    def _emit_moved(self, touched: Mapping[str, None], outcome: Outcome) -> None:
        """Emit the scores that have moved, and the states that have changed."""
        for name in touched:
            story = self._stories.get(name)
            if story is None:
                continue
            scored = self._score(story, self._time_ms)
            last = story.emitted
            moved = last is None or abs(scored.noise - last.noise) >= self._config.emit_change_points
            if moved or (last is not None and last.state != story.scoring.lifecycle.state):
                self._emit(name, story, scored, outcome)

    def _emit_faded(self, outcome: Outcome) -> None:
        """Emit the scores of quiet stories that have decayed far enough to be told."""
        while self._fading and self._fading[0][0] <= self._time_ms:
            _, name, emitted = heapq.heappop(self._fading)
            story = self._stories.get(name)
            if story is not None and story.emitted == emitted:
                self._emit(name, story, self._score(story, self._time_ms), outcome)

    def _emit_late(self, monotonic: float, outcome: Outcome) -> None:
        """Emit the small changes that have waited long enough."""
        while self._changed:
            name, since = next(iter(self._changed.items()))
            if monotonic - since < self._config.emit_within_seconds:
                return
            story = self._stories[name]
            self._emit(name, story, self._score(story, self._time_ms), outcome)

    def _settle(self, touched: dict[str, None], outcome: Outcome) -> None:
        """When a replay has ended, decide and score every story at the time it ended, so that any replay ends alike."""
        settle = self._watermark.settle
        if not settle or settle == self._settled or self._held:
            return
        for name in sorted(self._stories):
            self._decide(name, self._time_ms, touched, outcome)
        for name, story in self._stories.items():
            scored = self._score(story, self._time_ms)
            if name in self._changed or story.emitted is None or scored.noise != story.emitted.noise:
                self._emit(name, story, scored, outcome)
                touched[name] = None
        self._settled = outcome.settled = settle

    def _emit(self, name: str, story: Story, scored: Score, outcome: Outcome) -> None:
        last, state = story.emitted, story.scoring.lifecycle.state
        previous = None if last is None else last.noise
        outcome.scores[name] = score_record(story.info, scored, state, previous, self._time_ms)
        if last is not None:
            details = {"noise": scored.noise, "previous": last.noise, "state": state}
            outcome.events.append(event("noise_update", story.info, self._time_ms, **details))
        story.emitted = Emitted(scored.noise, state, self._time_ms)
        fades_ms = fades_in_ms(scored.noise, self._config.emit_change_points)
        if fades_ms is not None:
            heapq.heappush(self._fading, (self._time_ms + fades_ms, name, story.emitted))
        outcome.scored_observations_ms.extend(self._fresh_ms.pop(name, ()))
        self._changed.pop(name, None)
