"""One partition of stories: applies signals behind the watermark, decides at ticks, and returns what to write.

Owns what happens to stories when: signals and merges in their order (:mod:`streams.score.event_time_queue`), and
between them ticks of event time, at which spikes and states are decided. So the same log gives the same decisions,
however fast it is read and in whatever order partitions advance. Pure: reads no clock, writes nothing.
"""

import itertools
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter

from msgspec.structs import replace

from ingest.signal import Signal
from scoring.settings import DAY_MS
from streams.records import encode
from streams.records.noise_event import NewStory, NoiseUpdate
from streams.records.stories import NOWHERE, StoryInfo
from streams.records.story_activity import (
    Activity,
    ForwardedSignals,
    MergeIn,
    MergeOut,
    Merging,
    Transfer,
    TransferArrival,
)
from streams.runtime.watermark import IdleTimeout, Watermark
from streams.score.assessor import NoAssessor, StoryAssessor
from streams.score.config import ScoreConfig
from streams.score.deciding import decide
from streams.score.emitter import Emitter
from streams.score.event_time_queue import DueSignals, EventTimeQueue, MergeStep, PendingRecord
from streams.score.merging import absorb, end, redirect
from streams.score.output_batch import OutputBatch
from streams.score.reading import Reader
from streams.score.scored_story import ScoredStory
from streams.score.timer_queue import TimerQueue

NEVER = float("inf")
_POSITION = itemgetter(0, 1, 2)
"""Of a signal in the order of all: its time, its source and its offset there."""
BEHIND_MS = 10_000
"""A partition whose event time is further behind the clock is catching up, and emits each story less often."""


class PartitionScorer:
    """The stories of one partition of ``story-activity``."""

    def __init__(
        self, stored: Mapping[bytes, bytes], config: ScoreConfig, read: Reader, assess: StoryAssessor | None = None
    ) -> None:
        """``stored``: what the changelog has of this partition, by story id."""
        self._config = config
        self._retention_ms = int(config.retention_days * DAY_MS)
        self._read = read
        self._assess = assess or NoAssessor()
        self._answered: set[str] = set()
        decoded = {key.decode(): ScoredStory.decode(value) for key, value in stored.items()}
        self._stories = {name: story for name, story in decoded.items() if story.into is None}
        self._redirects = {name: story for name, story in decoded.items() if story.into is not None}
        restored_ms = max((story.at_ms for story in decoded.values()), default=0)
        self._idle_timeout = IdleTimeout(live_seconds=config.patience_seconds)
        self._watermark = Watermark(self._idle_timeout, restored_ms)
        self._due = TimerQueue()
        for name, story in decoded.items():
            if story.due_ms:
                self._due.put(name, story.due_ms)
        self._queue = EventTimeQueue()
        self._records: deque[PendingRecord] = deque()
        self._time_ms = 0
        self._now_ms, self._monotonic = 0, 0.0
        self._settled = ""
        self._unwritten: dict[str, None] = {}
        self._written_at = 0.0
        self._emitter = Emitter(self._stories, config, read.tiers)

    @property
    def live(self) -> int:
        """How many stories are held."""
        return len(self._stories)

    def take(self, activities: Iterable[Activity], monotonic: float) -> None:
        """Take one record; ``OutputBatch.applied`` counts it when everything in it is applied and written."""
        record = PendingRecord()
        self._records.append(record)
        for activity in activities:
            if activity.mark is not None:
                self._watermark.update(activity.mark, monotonic)
            self._queue.add(activity, record)

    def reassess(self, stories: Collection[str]) -> None:
        """Assess those of ``stories`` that are here again, at the next advance."""
        self._answered.update(stories)

    def advance(self, now_ms: int, monotonic: float) -> OutputBatch:
        """Apply and decide what the watermark has passed; return what to write.

        ``now_ms``: the clock, by which event time advances live while no records come in.
        """
        watermark_ms = max(self._time_ms, self._watermark.advance(now_ms, monotonic))
        self._now_ms, self._monotonic = now_ms, monotonic
        output = OutputBatch()
        if self._apply_ticks(watermark_ms, output) and self._apply_until(watermark_ms, output):
            self._time_ms = watermark_ms
        output.watermark_ms = self._time_ms
        self._take_answers(output)
        is_behind = now_ms - self._time_ms > BEHIND_MS
        self._emitter.emit(self._time_ms, monotonic, output, is_behind=is_behind)
        self._settle(output)
        config = self._config
        self._write(output, config.keep_every_behind_seconds if is_behind else config.keep_every_seconds)
        return output

    def _write(self, output: OutputBatch, every_seconds: float) -> None:
        """Add states to ``output``: those of stories with news at once, all others together now and then.

        After a crash, unwritten changes are read again: no record counts as applied before all changes are written.
        """
        self._unwritten.update(output.changed)
        if output.forwarded or output.settled or self._monotonic - self._written_at >= every_seconds:
            output.states, self._unwritten = dict.fromkeys(self._unwritten), {}
            self._written_at = self._monotonic
            # In the order taken, since a committed offset covers all records before it.
            while self._records and self._records[0].parts == 0:
                self._records.popleft()
                output.applied += 1
        else:
            # An event that was emitted must not be emitted again as of another time.
            news = (event for event in output.events if not isinstance(event, NoiseUpdate))
            output.states = dict.fromkeys(event.story for event in news)
        for name in output.states:
            if (story := self._stories.get(name)) is not None:
                story.at_ms = self._now(story)
            kept = story or self._redirects.get(name)
            output.states[name] = None if kept is None else kept.encode()

    def _take_answers(self, output: OutputBatch) -> None:
        for name in sorted(self._answered & self._stories.keys()):
            story = self._stories[name]
            ledger, before = story.scoring.ledger, story.scoring.ledger.assessment
            ledger.assessment = self._assess(name, ledger, self._now(story))
            if ledger.assessment != before:
                output.changed[name] = None
        self._answered.clear()

    def _next_tick(self) -> float:
        """Return the next tick at which there is something to decide."""
        nexts = [] if self._queue.next_ms is None else [self._queue.next_ms]
        if (due_ms := self._due.next_ms) is not None:
            nexts.append(due_ms)
        return self._tick_at(min(nexts), self._time_ms) if nexts else NEVER

    def _tick_at(self, at_ms: int, after_ms: int) -> int:
        """Return the first tick at or after ``at_ms`` and past ``after_ms``."""
        grid_ms = self._config.tick_ms
        return max(-(-at_ms // grid_ms), after_ms // grid_ms + 1) * grid_ms

    def _now(self, story: ScoredStory) -> int:
        """Return the time that ``story`` has reached: after a restart, the partition has to catch up with it."""
        return max(self._time_ms, story.at_ms)

    def _apply_ticks(self, until_ms: int, output: OutputBatch) -> bool:
        """Apply what came until each tick, then decide on every story that it, or time alone, may have changed.

        Returns False if a transfer must be waited for.
        """
        while (tick_ms := self._next_tick()) <= until_ms:
            at_ms = int(tick_ms)
            if not self._apply_until(at_ms, output):
                return False
            for name in self._due.take(at_ms):
                if self._redirects.pop(name, None) is None:
                    self._decide(name, at_ms, output)
                else:
                    output.changed[name] = None
            self._time_ms = at_ms
        return True

    def _decide(self, name: str, at_ms: int, output: OutputBatch) -> None:
        story = self._stories[name]
        ledger = story.scoring.ledger
        before = story.scoring.lifecycle, story.scoring.spike, ledger.assessment
        ledger.assessment = self._assess(name, ledger, at_ms)
        output.events.extend(decide(story, self._read.tiers, at_ms))
        if story.due_ms:
            self._due.put(name, story.due_ms)
        lifecycle = story.scoring.lifecycle
        if before != (lifecycle, story.scoring.spike, ledger.assessment):
            output.changed[name] = None
        if lifecycle.state != "resolved":
            return
        if at_ms >= (gone_ms := lifecycle.entered_ms + self._retention_ms):
            self._remove(name, output)
        else:
            story.due_ms = gone_ms
            self._due.put(name, gone_ms)

    def _remove(self, name: str, output: OutputBatch) -> None:
        del self._stories[name]
        self._due.drop(name)
        self._emitter.remove(name)
        output.changed[name] = None
        output.scores[name] = None

    def _apply_until(self, until_ms: int, output: OutputBatch) -> bool:
        """Apply all that waits for a time up to ``until_ms``; return False if a transfer must be waited for."""
        queue = self._queue
        while True:
            for signals in queue.due_signals(until_ms):
                self._apply(signals, output)
            step = queue.due_merge(until_ms)
            if step is None:
                return True
            match step.activity:
                case MergeOut(merging=merging):
                    self._merge_out(merging, output)
                    queue.drop_merge()
                case TransferArrival(transfer=transfer):
                    self._merge_in(transfer, output)
                    queue.drop_merge()
                    queue.drop_merge_ins(transfer.merging)
                case MergeIn(merging=merging):
                    if not self._may_pass(step, merging):
                        self._time_ms = max(self._time_ms, merging.at_ms - 1)
                        return False
                    queue.drop_merge()

    def _may_pass(self, step: MergeStep, merging: Merging) -> bool:
        """Return whether a merge-in need not wait (any longer) for its transfer.

        Its transfer, once it is here, comes before it in the queue.
        """
        gone, into = merging.gone.id, merging.into.id
        story = self._stories.get(into)
        if into in self._redirects or (story is not None and gone in story.absorbed):
            return True
        if step.since is None:
            step.since = self._monotonic
        return self._monotonic - step.since > self._idle_timeout.seconds(self._now_ms - merging.at_ms)

    def _merge_out(self, merging: Merging, output: OutputBatch) -> None:
        """End a story, and send its transfer; if it has ended before, send that there is nothing more."""
        gone = merging.gone.id
        transfer = Transfer(merging)
        if gone not in self._redirects:
            story = self._stories.get(gone)
            if story is not None:
                at_ms = max(merging.at_ms, self._now(story))
                transfer, events = end(story, merging, self._read.tiers, at_ms)
                output.events += events
                self._remove(gone, output)
            left = self._redirects[gone] = redirect(merging, story, merging.at_ms + self._retention_ms)
            self._due.put(gone, left.due_ms)
            output.changed[gone] = None
        self._forward(merging.into, TransferArrival(transfer), output)

    def _merge_in(self, transfer: Transfer, output: OutputBatch) -> None:
        """Make a transfer part of its story, or forward it if that was merged into another."""
        gone, into = transfer.merging.gone.id, transfer.merging.into
        left = self._redirects.get(into.id)
        story = left or self._stories.get(into.id)
        if not transfer.scoring or (story is not None and gone in story.absorbed):
            return
        if left is not None and left.into is not None:
            transfer = replace(transfer, merging=replace(transfer.merging, into=left.into))
            self._forward(left.into, TransferArrival(transfer), output)
            return
        at_ms = transfer.merging.at_ms
        if story is None:
            story = self._create(into, at_ms, output)
        at_ms = max(at_ms, self._now(story))
        output.events += absorb(story, transfer, self._read.tiers, at_ms)
        output.changed[into.id] = None
        self._decide_from(story, at_ms)

    def _forward(self, story: StoryInfo, activity: Activity, output: OutputBatch) -> None:
        if story.id != NOWHERE:
            output.forwarded.append((story.id, encode(activity)))

    def _create(self, info: StoryInfo, at_ms: int, output: OutputBatch) -> ScoredStory:
        story = self._stories[info.id] = ScoredStory(info)
        output.events.append(NewStory(story=info.id, slug=info.slug, at_ms=at_ms))
        return story

    def _decide_from(self, story: ScoredStory, at_ms: int) -> None:
        """Make sure to decide on ``story`` at the first tick from ``at_ms`` on that it has not passed."""
        tick_ms = self._tick_at(at_ms, self._now(story))
        if not story.due_ms or tick_ms < story.due_ms:
            story.due_ms = tick_ms
        self._due.put(story.info.id, story.due_ms)

    def _apply(self, due: list[DueSignals], output: OutputBatch) -> None:
        """Apply signals of one story to it, in the order of all."""
        info = due[0].batch.story
        name = info.id
        left = self._redirects.get(name)
        story = left or self._stories.get(name)
        if story is None:
            story = self._create(info, min(entries[0].at_ms for _, entries, _ in due), output)
        output.changed[name] = None
        fresh: list[tuple[int, int, int, Signal]] = []
        named_ms = 0
        for batch, entries, low in due:
            is_new = story.delivered.admit(batch.source, [one.offset for one in entries], redirected=batch.redirected)
            new = list(itertools.compress(entries, is_new))
            if new and story.into is not None:
                self._forward(story.into, ForwardedSignals(story.into, tuple(new), batch.source), output)
            elif new:
                fresh += [(one.at_ms, batch.source, one.offset, one.signal) for one in new]
                # The latest signal's name holds: its sender knew all decisions up to then. Arrival order is chance.
                if not batch.redirected and new[-1].at_ms >= named_ms:
                    named_ms, story.info = new[-1].at_ms, batch.story
            if low:
                story.delivered.raise_low(batch.source, low)
        if not fresh:
            return
        if len(due) > 1:
            fresh.sort(key=_POSITION)
        ledger, read, observed_ms = story.scoring.ledger, self._read, fresh[0][3].observed_ms
        try:
            for at_ms, _, _, signal in fresh:
                ledger.apply(signal, read(signal))
                observed_ms = min(observed_ms, signal.observed_ms)
                if ledger.assessment is None and (signal.title or signal.text):
                    ledger.assessment = self._assess(name, ledger, max(at_ms, self._now(story)))
        except Exception as error:
            error.add_note(f"the signal is {signal.id} of story {name}")
            raise
        self._emitter.note_observed(name, observed_ms)
        self._decide_from(story, fresh[0][0])

    def _settle(self, output: OutputBatch) -> None:
        """When a replay has ended, decide and score every story at the time it ended, so that any replay ends alike."""
        settle = self._watermark.replay_barrier
        if not settle or settle == self._settled or self._queue:
            return
        for name in sorted(self._stories):
            self._decide(name, self._now(self._stories[name]), output)
        self._emitter.emit_all(self._time_ms, self._monotonic, output)
        self._settled = output.settled = settle
