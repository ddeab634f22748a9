"""When a story's score is told: at once if it was not told of lately or its state has changed, else a little later.

Owns what has changed and was not told, and what is told of a quiet story that fades. Pure. Must never know why a story
changed, nor where what is told goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from scoring import Score
from streams.records.noise_event import NoiseUpdate
from streams.score.config import ScoreConfig
from streams.score.deciding import fades_in_ms
from streams.score.output import Outcome
from streams.score.render import score_record
from streams.score.schedule import Agenda
from streams.score.state import Emitted, Story

__all__ = ["Teller"]

FADE_SECONDS = 1.0


class Teller:
    """Tells of the stories of one partition. ``monotonic`` is in seconds, as of a clock that never goes back."""

    def __init__(
        self,
        stories: Mapping[str, Story],
        config: ScoreConfig,
        score_now: Callable[[Story], tuple[Score, int]],
    ) -> None:
        """``stories``: by id, kept by the caller. ``score_now``: scores a story and says for what time."""
        self._stories = stories
        self._config = config
        self._score_now = score_now
        self._fading = Agenda()
        self._faded_at = 0.0
        self._changed: set[str] = set()
        """Stories with changes that were not told."""
        self._resting: dict[str, float] = {}
        """When each story was told of that was told of lately, the first of them first."""
        self._fresh_ms: dict[str, int] = {}
        for name, story in stories.items():
            if story.untold:
                self._changed.add(name)
                self._resting[name] = -math.inf  # told of long ago, so it is told of at once
            self._await_fading(name, story)

    def note_observed(self, name: str, observed_ms: int) -> None:
        """Remember when a signal was observed that no score of the story covers yet: of several, the first."""
        self._fresh_ms[name] = min(observed_ms, self._fresh_ms.get(name, observed_ms))

    def forget(self, name: str) -> None:
        """Have nothing to tell of a story any more."""
        self._fading.drop(name)
        self._changed.discard(name)
        for known in (self._resting, self._fresh_ms):
            known.pop(name, None)

    def tell(self, until_ms: int, monotonic: float, outcome: Outcome, *, is_behind: bool = False) -> None:
        """Tell of the stories that have changed, as ``outcome.changed`` says, and of those whose time has come.

        ``until_ms``: the time that the partition has come to. ``is_behind``: that is long ago, so there are newer
        scores to come of most stories, and telling of each less often is what brings them sooner.
        """
        changed = list(outcome.changed)
        for name in changed:
            if (story := self._stories.get(name)) is not None:
                story.untold = True
                self._changed.add(name)
        config = self._config
        rest_seconds = config.emit_every_behind_seconds if is_behind else config.emit_every_seconds
        rested = [name for name in self._rested(monotonic - rest_seconds) if name not in outcome.changed]
        for name in (*changed, *rested):
            story = self._stories.get(name)
            if story is not None and name in self._changed and (name not in self._resting or story.has_changed_state):
                self._tell(name, *self._score_now(story), monotonic, outcome)
        self._tell_faded(until_ms, monotonic, outcome)

    def tell_all(self, monotonic: float, outcome: Outcome) -> None:
        """Tell of every story that was not told of as it is now."""
        for name, story in self._stories.items():
            scored, at_ms = self._score_now(story)
            if name in self._changed or story.has_moved(scored.noise):
                self._tell(name, scored, at_ms, monotonic, outcome)

    def _rested(self, until: float) -> Iterator[str]:
        """Yield, and forget, the stories that were last told of by ``until``, in monotonic seconds."""
        while self._resting:
            name, told_at = next(iter(self._resting.items()))
            if told_at > until:
                return
            del self._resting[name]
            yield name

    def _tell_faded(self, until_ms: int, monotonic: float, outcome: Outcome) -> None:
        """Tell of the quiet stories that have decayed far enough.

        Once a second at most: in a replay hours pass between two calls, and every story fades in each of them.
        """
        if monotonic - self._faded_at < FADE_SECONDS:
            return
        self._faded_at = monotonic
        for name in self._fading.take(until_ms):
            self._tell(name, *self._score_now(self._stories[name]), monotonic, outcome)

    def _tell(self, name: str, scored: Score, at_ms: int, monotonic: float, outcome: Outcome) -> None:
        story = self._stories[name]
        last, state, evidence = story.emitted, story.scoring.lifecycle.state, story.scoring.ledger.evidence
        previous = None if last is None else last.noise
        outcome.scores[name] = score_record(story.info, scored, evidence, state=state, previous=previous, at_ms=at_ms)
        if last is not None:
            update = NoiseUpdate(
                story=name, slug=story.info.slug, at_ms=at_ms, noise=scored.noise, previous=last.noise, state=state
            )
            outcome.events.append(update)
        outcome.changed[name] = None
        story.emitted = Emitted(scored.noise, state, at_ms)
        story.untold = False
        self._await_fading(name, story)
        if (observed_ms := self._fresh_ms.pop(name, None)) is not None:
            outcome.scored_observations_ms.append(observed_ms)
        self._changed.discard(name)
        self._resting.pop(name, None)
        self._resting[name] = monotonic

    def _await_fading(self, name: str, story: Story) -> None:
        """Note when a quiet story will have decayed far enough to be told of."""
        last = story.emitted
        fades_ms = None if last is None else fades_in_ms(last.noise, self._config.emit_fade_points)
        if last is None or fades_ms is None:
            self._fading.drop(name)
        else:
            self._fading.put(name, last.at_ms + fades_ms)
