"""When a story's score is emitted: at once if none was lately or its state has changed, else a little later.

Owns which changes are not emitted yet, and when a quiet story has decayed far enough. Pure. Must never know why a story
changed, nor where its score goes.
"""

import math
from collections.abc import Iterator, Mapping

from scoring import Score, Tier, makeup, score
from streams.records.noise_event import NoiseUpdate
from streams.score.config import ScoreConfig
from streams.score.deciding import decays_in_ms
from streams.score.output_batch import OutputBatch
from streams.score.render import score_record
from streams.score.scored_story import Emitted, ScoredStory
from streams.score.timer_queue import TimerQueue

DECAY_CHECK_SECONDS = 1.0
"""In a replay, hours pass between two calls, and every story decays in each of them."""


class Emitter:
    """Emits the scores of one partition's stories. ``monotonic`` is in seconds, as of a clock that never goes back."""

    def __init__(self, stories: Mapping[str, ScoredStory], config: ScoreConfig, tiers: Mapping[str, Tier]) -> None:
        """``stories``: by id, kept by the caller. ``tiers``: of the public figures, by id."""
        self._stories = stories
        self._config = config
        self._tiers = tiers
        self._decaying = TimerQueue()
        self._decay_checked_at = 0.0
        self._changed: set[str] = set()
        """Stories with changes that are not emitted."""
        self._emitted_at: dict[str, float] = {}
        """When a score of each story was emitted, if it was lately, the earliest first."""
        self._first_observed_ms: dict[str, int] = {}
        for name, story in stories.items():
            if story.unemitted:
                self._changed.add(name)
                self._emitted_at[name] = -math.inf
            self._await_decay(name, story)

    def note_observed(self, name: str, observed_ms: int) -> None:
        """Remember the first observation that no score of the story covers yet."""
        self._first_observed_ms[name] = min(observed_ms, self._first_observed_ms.get(name, observed_ms))

    def remove(self, name: str) -> None:
        """Emit nothing of a story any more."""
        self._decaying.drop(name)
        self._changed.discard(name)
        self._emitted_at.pop(name, None)
        self._first_observed_ms.pop(name, None)

    def emit(self, time_ms: int, monotonic: float, output: OutputBatch, *, is_behind: bool = False) -> None:
        """Emit the stories in ``output.changed``, and those whose time has come.

        ``time_ms``: the event time of the partition. ``is_behind``: it is long past, so most stories have newer scores
        to come. Emitting each story less often brings those sooner.
        """
        changed = list(output.changed)
        for name in changed:
            if (story := self._stories.get(name)) is not None:
                story.unemitted = True
                self._changed.add(name)
        config = self._config
        pause_seconds = config.emit_every_behind_seconds if is_behind else config.emit_every_seconds
        rested = [name for name in self._rested(monotonic - pause_seconds) if name not in output.changed]
        for name in (*changed, *rested):
            story = self._stories.get(name)
            if story is not None and name in self._changed and (name not in self._emitted_at or story.has_new_state):
                self._emit(name, self._score(story, time_ms), monotonic, output)
        if monotonic - self._decay_checked_at >= DECAY_CHECK_SECONDS:
            self._decay_checked_at = monotonic
            for name in self._decaying.take(time_ms):
                self._emit(name, self._score(self._stories[name], time_ms), monotonic, output)

    def emit_all(self, time_ms: int, monotonic: float, output: OutputBatch) -> None:
        """Emit every story whose last emitted score is not its score now."""
        for name, story in self._stories.items():
            scored, at_ms = self._score(story, time_ms)
            if name in self._changed or story.differs_from_emitted(scored.noise):
                self._emit(name, (scored, at_ms), monotonic, output)

    def _score(self, story: ScoredStory, time_ms: int) -> tuple[Score, int]:
        """Return the score of ``story`` and the event time it is for."""
        at_ms = max(time_ms, story.at_ms)
        return score(story.scoring.ledger, at_ms, tiers=self._tiers), at_ms

    def _rested(self, until: float) -> Iterator[str]:
        """Remove and yield the stories that were last emitted by ``until``, in monotonic seconds."""
        while self._emitted_at:
            name, emitted_at = next(iter(self._emitted_at.items()))
            if emitted_at > until:
                return
            del self._emitted_at[name]
            yield name

    def _emit(self, name: str, scored_at: tuple[Score, int], monotonic: float, output: OutputBatch) -> None:
        story = self._stories[name]
        scored, at_ms = scored_at
        last, state, evidence = story.emitted, story.scoring.lifecycle.state, story.scoring.ledger.evidence
        previous = None if last is None else last.noise
        of_whom = makeup(story.scoring.ledger)
        output.scores[name] = score_record(
            story.info, scored, evidence, state=state, previous=previous, at_ms=at_ms, makeup=of_whom
        )
        if last is not None:
            update = NoiseUpdate(
                story=name, slug=story.info.slug, at_ms=at_ms, noise=scored.noise, previous=last.noise, state=state
            )
            output.events.append(update)
        output.changed[name] = None
        story.emitted = Emitted(scored.noise, state, at_ms)
        story.unemitted = False
        self._await_decay(name, story)
        if (observed_ms := self._first_observed_ms.pop(name, None)) is not None:
            output.first_observed_ms.append(observed_ms)
        self._changed.discard(name)
        self._emitted_at.pop(name, None)
        self._emitted_at[name] = monotonic

    def _await_decay(self, name: str, story: ScoredStory) -> None:
        """Note when a quiet story will have decayed far enough to be emitted."""
        last = story.emitted
        decays_ms = None if last is None else decays_in_ms(last.noise, self._config.emit_fade_points)
        if last is None or decays_ms is None:
            self._decaying.drop(name)
        else:
            self._decaying.put(name, last.at_ms + decays_ms)
