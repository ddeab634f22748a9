"""One partition of stories: applies signals behind the watermark, decides at ticks, says what to write.

Owns what happens to stories when: signals and merges in their order (:mod:`streams.score.order`), and between them
ticks of event time, at which spikes and states are decided. So the same log gives the same decisions, however fast it
is read and in whatever order partitions advance. Pure: reads no clock, writes nothing.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter

from msgspec.structs import replace

from ingest.signal import Signal
from scoring import Score, score
from streams.records import encode
from streams.records.noise_event import NewStory, NoiseUpdate
from streams.records.stories import NOWHERE, StoryInfo
from streams.records.story_activity import (
    Activity,
    Entry,
    ForwardedSignals,
    MergeIn,
    MergeOut,
    Merging,
    StorySignals,
    Transfer,
    TransferArrival,
)
from streams.runtime.watermark import IdleTimeout, Watermark
from streams.score.assessing import StoryAssessor, Unassessed
from streams.score.config import ScoreConfig
from streams.score.deciding import decide
from streams.score.emitter import Teller
from streams.score.merging import absorb, end, stub
from streams.score.order import Joining, Lane, Leaving, Line, Moving, Parcel, Run
from streams.score.output import Outcome
from streams.score.reading import Reader
from streams.score.schedule import Agenda
from streams.score.state import Story

__all__ = ["PartitionScorer"]

DAY_MS = 86_400_000
NEVER = float("inf")
_PLACE = itemgetter(0, 1, 2)
"""Of a signal in the order of all: its time, its source and its offset there."""
BEHIND_MS = 10_000
"""Whose event time is further from the clock has much to catch up on, and tells of each story less often."""


class PartitionScorer:
    """The stories of one partition of ``story-activity``."""

    def __init__(
        self,
        stored: Mapping[bytes, bytes],
        config: ScoreConfig,
        read: Reader,
        assess: StoryAssessor | None = None,
    ) -> None:
        """``stored``: what the changelog has of this partition, by story id."""
        self._config = config
        self._retention_ms = int(config.retention_days * DAY_MS)
        self._read = read
        self._assess = assess or Unassessed()
        self._answered: set[str] = set()
        decoded = {key.decode(): Story.decode(value) for key, value in stored.items()}
        self._stories = {name: story for name, story in decoded.items() if story.into is None}
        self._stubs = {name: story for name, story in decoded.items() if story.into is not None}
        lately_ms = max((story.at_ms for story in decoded.values()), default=0)
        self._patience = IdleTimeout(live_seconds=config.patience_seconds)
        self._watermark = Watermark(self._patience, lately_ms)
        self._due = Agenda()
        for name, story in self._stories.items():
            if story.due_ms:
                self._due.put(name, story.due_ms)
        for name, left in self._stubs.items():
            self._due.put(name, left.due_ms)
        self._line = Line()
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._parcels: deque[Parcel] = deque()
        self._time_ms = 0
        self._now_ms, self._monotonic = 0, 0.0
        self._settled = ""
        self._unkept: dict[str, None] = {}
        self._kept_at = 0.0
        self._teller = Teller(self._stories, config, self._score_now)

    @property
    def live(self) -> int:
        """How many stories are held."""
        return len(self._stories)

    def take(self, activities: Iterable[Activity], event_: object, monotonic: float) -> None:
        """Take in one record; ``event_`` is handed back in ``Outcome.done`` when all it carries is applied."""
        parcel = Parcel(event_)
        self._parcels.append(parcel)
        for activity in activities:
            self._take(activity, parcel, monotonic)

    def _take(self, activity: Activity, parcel: Parcel, monotonic: float) -> None:
        if activity.mark is not None:
            self._watermark.update(activity.mark, monotonic)
        match activity:
            case StorySignals(mark=mark, low=low, redirected=redirected) if activity.entries:
                self._queue_signals(activity, parcel, mark.source, low, redirected=redirected)
            case ForwardedSignals(source=source):
                self._queue_signals(activity, parcel, source, 0, redirected=True)
            case MergeOut(merging=merging):
                self._line.add_turn(Leaving(parcel, merging))
            case MergeIn(merging=merging):
                self._line.add_turn(Joining(parcel, merging))
            case TransferArrival(transfer=transfer):
                self._line.add_turn(Moving(parcel, transfer))

    def _queue_signals(
        self, activity: StorySignals | ForwardedSignals, parcel: Parcel, source: int, low: int, *, redirected: bool
    ) -> None:
        self._line.add_run(Run(parcel, source, activity.story, activity.entries, redirected=redirected))
        lane = self._lanes.setdefault((activity.story.id, source), Lane())
        lane.runs += 1
        lane.low = max(lane.low, low)

    def reassess(self, stories: Collection[str]) -> None:
        """Have those of ``stories`` that are here assessed anew, at the next advance."""
        self._answered.update(stories)

    def advance(self, now_ms: int, monotonic: float) -> Outcome:
        """Apply and decide what the watermark has passed, and say what to write.

        ``now_ms``: the clock, by which time moves on when nothing comes in live.
        """
        watermark_ms = max(self._time_ms, self._watermark.advance(now_ms, monotonic))
        self._now_ms, self._monotonic = now_ms, monotonic
        outcome = Outcome()
        if self._apply_ticks(watermark_ms, outcome) and self._apply_until(watermark_ms, outcome):
            self._time_ms = watermark_ms
        outcome.watermark_ms = self._time_ms
        self._take_answers(outcome)
        is_behind = now_ms - self._time_ms > BEHIND_MS
        self._teller.tell(self._time_ms, monotonic, outcome, is_behind=is_behind)
        self._settle(outcome)
        config = self._config
        self._keep(outcome, config.keep_every_behind_seconds if is_behind else config.keep_every_seconds)
        return outcome

    def _keep(self, outcome: Outcome, every_seconds: float) -> None:
        """Have states written: those of stories with news at once, all others together now and then.

        What is unwritten in a crash is read again, since nothing is done before all that has changed is written.
        """
        self._unkept.update(outcome.changed)
        if outcome.sent or outcome.settled or self._monotonic - self._kept_at >= every_seconds:
            outcome.states, self._unkept = dict.fromkeys(self._unkept), {}
            self._kept_at = self._monotonic
            # In the order they came, since Faust takes an offset for a claim on all before it.
            while self._parcels and self._parcels[0].left == 0:
                outcome.done.append(self._parcels.popleft().event)
        else:
            # An event that was told must not be told again, as of another time.
            outcome.states = dict.fromkeys(
                event.story for event in outcome.events if not isinstance(event, NoiseUpdate)
            )
        for name in outcome.states:
            if (story := self._stories.get(name)) is not None:
                story.at_ms = self._now(story)
            kept = story or self._stubs.get(name)
            outcome.states[name] = None if kept is None else kept.encode()

    def _take_answers(self, outcome: Outcome) -> None:
        for name in sorted(self._answered & self._stories.keys()):
            story = self._stories[name]
            ledger, before = story.scoring.ledger, story.scoring.ledger.assessment
            ledger.assessment = self._assess(name, ledger, self._now(story))
            if ledger.assessment != before:
                outcome.changed[name] = None
        self._answered.clear()

    def _next_tick(self) -> float:
        """Return the next tick at which there is something to decide."""
        nexts = [] if self._line.next_ms is None else [self._line.next_ms]
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

    def _apply_ticks(self, until_ms: int, outcome: Outcome) -> bool:
        """Apply what came until each tick, then decide on every story that it, or time alone, may have changed.

        Returns False if something must be waited for.
        """
        while (tick_ms := self._next_tick()) <= until_ms:
            at_ms = int(tick_ms)
            if not self._apply_until(at_ms, outcome):
                return False
            for name in self._due.take(at_ms):
                if self._stubs.pop(name, None) is None:
                    self._decide(name, at_ms, outcome)
                else:
                    outcome.changed[name] = None
            self._time_ms = at_ms
        return True

    def _decide(self, name: str, at_ms: int, outcome: Outcome) -> None:
        story = self._stories[name]
        ledger = story.scoring.ledger
        before = story.scoring.lifecycle, story.scoring.spike, ledger.assessment
        ledger.assessment = self._assess(name, ledger, at_ms)
        outcome.events.extend(decide(story, self._read.tiers, at_ms))
        if story.due_ms:
            self._due.put(name, story.due_ms)
        lifecycle = story.scoring.lifecycle
        if before != (lifecycle, story.scoring.spike, ledger.assessment):
            outcome.changed[name] = None
        if lifecycle.state == "resolved":
            self._retire(name, story, at_ms, outcome)

    def _retire(self, name: str, story: Story, at_ms: int, outcome: Outcome) -> None:
        """Forget a resolved story when its time has come; until then, make sure to look again."""
        gone_ms = story.scoring.lifecycle.entered_ms + self._retention_ms
        if at_ms < gone_ms:
            story.due_ms = gone_ms
            self._due.put(name, gone_ms)
            return
        self._forget(name, outcome)

    def _forget(self, name: str, outcome: Outcome) -> None:
        del self._stories[name]
        self._due.drop(name)
        self._teller.forget(name)
        outcome.changed[name] = None
        outcome.scores[name] = None

    def _apply_until(self, until_ms: int, outcome: Outcome) -> bool:
        """Apply all that waits for a time up to ``until_ms``; return False if something must be waited for."""
        line = self._line
        while True:
            for runs in line.stories(until_ms):
                self._apply(runs, outcome)
            match line.turn(until_ms):
                case None:
                    return True
                case Leaving(merging=merging):
                    self._leave(merging, outcome)
                    line.drop_turn()
                case Moving(transfer=transfer):
                    self._take_in(transfer, outcome)
                    line.drop_turn()
                    line.drop_waits(transfer.merging)
                case Joining() as joining:
                    if not self._may_pass(joining):
                        self._time_ms = max(self._time_ms, joining.merging.at_ms - 1)
                        return False
                    line.drop_turn()

    def _may_pass(self, joining: Joining) -> bool:
        """Say whether a story that is taken in need not be waited for: it has come, or for as long as patience.

        Its transfer, once it is here, comes before it in the line.
        """
        gone, into = joining.merging.gone.id, joining.merging.into.id
        story = self._stories.get(into)
        if into in self._stubs or (story is not None and gone in story.absorbed):
            return True
        if joining.since is None:
            joining.since = self._monotonic
        return self._monotonic - joining.since > self._patience.seconds(self._now_ms - joining.merging.at_ms)

    def _leave(self, merging: Merging, outcome: Outcome) -> None:
        """End a story, and send what it leaves; again, if it is asked for again, that there is nothing more."""
        gone = merging.gone.id
        transfer = Transfer(merging)
        if gone not in self._stubs:
            story = self._stories.get(gone)
            if story is not None:
                at_ms = max(merging.at_ms, self._now(story))
                transfer, events = end(story, merging, self._read.tiers, at_ms)
                outcome.events += events
                self._forget(gone, outcome)
            left = self._stubs[gone] = stub(merging, story, merging.at_ms + self._retention_ms)
            self._due.put(gone, left.due_ms)
            outcome.changed[gone] = None
        self._send(merging.into, TransferArrival(transfer), outcome)

    def _take_in(self, transfer: Transfer, outcome: Outcome) -> None:
        """Make what a story left part of the one it was merged into, or send it on if that is gone, too."""
        gone, into = transfer.merging.gone.id, transfer.merging.into
        left = self._stubs.get(into.id)
        story = left or self._stories.get(into.id)
        if not transfer.scoring or (story is not None and gone in story.absorbed):
            return
        if left is not None and left.into is not None:
            transfer = replace(transfer, merging=replace(transfer.merging, into=left.into))
            self._send(left.into, TransferArrival(transfer), outcome)
            return
        at_ms = transfer.merging.at_ms
        if story is None:
            story = self._found(into, at_ms, outcome)
        at_ms = max(at_ms, self._now(story))
        outcome.events += absorb(story, transfer, self._read.tiers, at_ms)
        outcome.changed[into.id] = None
        self._look_at(story, at_ms)

    def _send(self, story: StoryInfo, activity: Activity, outcome: Outcome) -> None:
        if story.id != NOWHERE:
            outcome.sent.append((story.id, encode(activity)))

    def _found(self, info: StoryInfo, at_ms: int, outcome: Outcome) -> Story:
        story = self._stories[info.id] = Story(info)
        outcome.events.append(NewStory(story=info.id, slug=info.slug, at_ms=at_ms))
        return story

    def _look_at(self, story: Story, at_ms: int) -> None:
        """Make sure to decide on ``story`` at the first tick from ``at_ms`` on that it has not passed."""
        tick_ms = self._tick_at(at_ms, self._now(story))
        if not story.due_ms or tick_ms < story.due_ms:
            story.due_ms = tick_ms
        self._due.put(story.info.id, story.due_ms)

    def _apply(self, runs: list[tuple[Run, list[Entry]]], outcome: Outcome) -> None:
        """Apply signals of some runs of one story to it, in the order of all."""
        info = runs[0][0].story
        name = info.id
        left = self._stubs.get(name)
        founded_ms = min(entries[0].at_ms for _, entries in runs)
        story = left or self._stories.get(name) or self._found(info, founded_ms, outcome)
        outcome.changed[name] = None
        fresh: list[tuple[int, int, int, Signal]] = []
        named_ms = 0
        for run, entries in runs:
            is_new = story.delivered.admit(run.source, [one.offset for one in entries], redirected=run.redirected)
            new = list(itertools.compress(entries, is_new))
            if new and story.into is not None:
                sent = ForwardedSignals(story.into, tuple(new), run.source)
                self._send(story.into, sent, outcome)
            elif new:
                fresh += [(one.at_ms, run.source, one.offset, one.signal) for one in new]
                # By the latest, since who sent that knew all decisions up to then; which came last is chance.
                if not run.redirected and new[-1].at_ms >= named_ms:
                    named_ms, story.info = new[-1].at_ms, run.story
            if not run:
                self._close_lane(story, run.source)
        if not fresh:
            return
        if len(runs) > 1:
            fresh.sort(key=_PLACE)
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
        self._teller.note_observed(name, observed_ms)
        self._look_at(story, fresh[0][0])

    def _close_lane(self, story: Story, source: int) -> None:
        """Note that one run of a lane is wholly applied."""
        lane = self._lanes[story.info.id, source]
        lane.runs -= 1
        if lane.runs == 0:
            # Only now: a parcel that came earlier may have held an offset below the mark of a later one.
            story.delivered.raise_low(source, lane.low)
            del self._lanes[story.info.id, source]

    def _score_now(self, story: Story) -> tuple[Score, int]:
        at_ms = self._now(story)
        return score(story.scoring.ledger, at_ms, tiers=self._read.tiers), at_ms

    def _settle(self, outcome: Outcome) -> None:
        """When a replay has ended, decide and score every story at the time it ended, so that any replay ends alike."""
        settle = self._watermark.replay_barrier
        if not settle or settle == self._settled or self._line:
            return
        for name in sorted(self._stories):
            self._decide(name, self._now(self._stories[name]), outcome)
        self._teller.tell_all(self._monotonic, outcome)
        self._settled = outcome.settled = settle
