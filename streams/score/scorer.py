"""One partition of stories: applies signals behind the watermark, decides at ticks, says what to write.

Owns the order in which things happen to stories: signals by (``at_ms``, source, offset), ticks of event time between
them. So the same log gives the same decisions, however fast it is read and in whatever order partitions advance. Pure:
reads no clock, writes nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.signal import Signal
from scoring import Reading, Score, score
from streams.score.config import ScoreConfig
from streams.score.records import event_record, score_record
from streams.score.state import Emitted, StoryState
from streams.watermark import Patience, Watermark
from streams.wire import Activity, StoryInfo

__all__ = ["Outcome", "PartitionScorer", "Reader"]

Reader = Callable[[Signal], Reading]
"""Finds in a signal's text what scoring wants to know of it: public figures and sentiment."""


@dataclass(slots=True)
class Outcome:
    """What is to be written, by story (None: deleted), and which events are done once it is.

    ``scored_observations_ms``: observation times of the signals newly covered by an emitted score.
    """

    watermark_ms: int = 0
    settled: str = ""
    states: dict[str, bytes | None] = field(default_factory=dict)
    scores: dict[str, bytes | None] = field(default_factory=dict)
    events: list[tuple[str, str, bytes]] = field(default_factory=list)
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
        self._stories = {key.decode(): StoryState.decode(value) for key, value in stored.items()}
        self._held: list[tuple[int, int, int, int, _Held]] = []
        self._count = itertools.count()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._done: list[object] = []
        self._time_ms = 0
        self._settled = ""
        self._changed: dict[str, float] = dict.fromkeys(self._stories, 0.0)
        self._fresh_ms: dict[str, list[int]] = {}

    @property
    def live(self) -> int:
        """How many stories are held."""
        return len(self._stories)

    def take(self, activity: Activity, event: object, monotonic: float) -> None:
        """Take in one record; ``event`` is handed back in ``Outcome.done`` when all it carries is applied."""
        self._watermark.update(activity.mark, monotonic)
        parcel = _Parcel(event, len(activity.entries))
        if activity.story is None or not activity.entries:
            self._done.append(event)
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
        """Apply what the watermark has passed and say what to write.

        ``now_ms``: the clock, by which time moves on when nothing comes in live.
        """
        watermark_ms = self._watermark.advance(now_ms, monotonic)
        outcome = Outcome(watermark_ms)
        touched: dict[str, None] = {}
        self._apply_until(watermark_ms, touched, outcome)
        self._time_ms = max(self._time_ms, watermark_ms)
        for story in touched:
            self._changed.setdefault(story, monotonic)
        self._emit_moved(touched, outcome)
        self._emit_late(monotonic, outcome)
        self._settle(outcome)
        for story in touched:
            outcome.states[story] = self._stories[story].encode()
        outcome.done, self._done = self._done, []
        return outcome

    def _apply_until(self, until_ms: int, touched: dict[str, None], outcome: Outcome) -> None:
        while self._held and self._held[0][0] <= until_ms:
            at_ms, *_, held = heapq.heappop(self._held)
            self._apply(at_ms, held, touched, outcome)
            held.parcel.left -= 1
            if held.parcel.left == 0:
                self._done.append(held.parcel.event)

    def _apply(self, at_ms: int, held: _Held, touched: dict[str, None], outcome: Outcome) -> None:
        info, signal = held.story, held.signal
        state = self._stories.get(info.id)
        if state is None:
            state = self._stories[info.id] = StoryState(info)
            outcome.events.append((info.id, "new_story", event_record("new_story", info, at_ms)))
        state.info = info
        if state.delivered.take(held.source, held.offset):
            state.ledger.apply(signal, self._read(signal))
            touched[info.id] = None
            self._fresh_ms.setdefault(info.id, []).append(signal.observed_ms)
        lane = self._lanes[info.id, held.source]
        lane.held -= 1
        if lane.held == 0:
            # Only now: a parcel that came earlier may have held an offset below the mark of a later one.
            state.delivered.raise_low(held.source, lane.low)
            del self._lanes[info.id, held.source]
            touched[info.id] = None

    def _emit_moved(self, touched: Mapping[str, None], outcome: Outcome) -> None:
        for story in touched:
            state = self._stories[story]
            scored = score(state.ledger, self._time_ms)
            last = state.emitted
            if last is None or abs(scored.noise - last.noise) >= self._config.emit_change_points:
                self._emit(story, state, scored, outcome)

    def _emit_late(self, monotonic: float, outcome: Outcome) -> None:
        """Emit the small changes that have waited long enough."""
        while self._changed:
            story, since = next(iter(self._changed.items()))
            if monotonic - since < self._config.emit_within_seconds:
                return
            state = self._stories[story]
            self._emit(story, state, score(state.ledger, self._time_ms), outcome)

    def _settle(self, outcome: Outcome) -> None:
        """When a replay has ended, score every story at the time it ended: a result that any replay gives again."""
        settle = self._watermark.settle
        if not settle or settle == self._settled or self._held:
            return
        for story, state in self._stories.items():
            scored = score(state.ledger, self._time_ms)
            if story in self._changed or state.emitted is None or scored.noise != state.emitted.noise:
                self._emit(story, state, scored, outcome)
                outcome.states[story] = state.encode()
        self._settled = outcome.settled = settle

    def _emit(self, story: str, state: StoryState, scored: Score, outcome: Outcome) -> None:
        at_ms = self._time_ms
        last = state.emitted
        previous = None if last is None else last.noise
        lifecycle = "trending"
        outcome.scores[story] = score_record(state.info, scored, lifecycle, previous, at_ms)
        if last is not None:
            update = event_record(
                "noise_update", state.info, at_ms, noise=scored.noise, previous=previous, state=lifecycle
            )
            outcome.events.append((story, "noise_update", update))
        state.emitted = Emitted(scored.noise, lifecycle, at_ms)
        outcome.scored_observations_ms.extend(self._fresh_ms.pop(story, ()))
        self._changed.pop(story, None)
