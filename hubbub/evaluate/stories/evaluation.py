"""Evaluation: labelled posts go through a matcher in order, and its stories are compared with the labels.

Owns the run and its result. Must never read files, nor know how a matcher decides.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hubbub.evaluate.stories.b_cubed import BCubed, b_cubed
from ingest.signal import Signal
from streams.resolve.matching.matcher import Matcher

EXPIRE_MS = 3_600_000
"""How often, in event time, the matcher drops stories without coverage."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A signal and the story that it belongs to; None: to no story."""

    signal: Signal
    label: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of an evaluation.

    ``final``: the stories at the end, after all merges; ``arrival``: the story that each post was given when it came.
    ``of``: how many labels there are; ``found``: labels with at least half of their posts in one story, and no more
    other posts there. ``stories``: those created. ``stages``: posts by what decided. ``seconds``: processor time.
    """

    signals: int
    labelled: int
    stories: int
    found: int
    of: int
    final: BCubed
    arrival: BCubed
    seconds: float
    stages: dict[str, int] = field(default_factory=dict)

    @property
    def signals_per_second(self) -> float:
        """Signals decided per second of processor time."""
        return self.signals / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Gathered:
    """The story of each signal, by id: at ``arrival``, and ``final``, after all merges.

    ``stages``: posts by what decided.
    """

    arrival: dict[str, str]
    final: dict[str, str]
    stages: dict[str, int]


def evaluate(posts: Iterable[Labelled], matcher: Matcher) -> Evaluation:
    """Run ``posts`` through ``matcher`` in the order of observation and compare its stories with the labels."""
    labelled: dict[str, Labelled] = {}
    for post in posts:
        labelled.setdefault(post.signal.id, post)
    began = time.process_time()
    gathered = gather((post.signal for post in labelled.values()), matcher)
    seconds = time.process_time() - began
    labels = [labelled[signal].label for signal in gathered.arrival]
    final = list(gathered.final.values())
    return Evaluation(
        signals=len(labels),
        labelled=sum(label is not None for label in labels),
        stories=len(set(final)),
        found=_found(final, labels),
        of=len({label for label in labels if label is not None}),
        final=b_cubed(final, labels),
        arrival=b_cubed(list(gathered.arrival.values()), labels),
        seconds=seconds,
        stages=gathered.stages,
    )


def gather(signals: Iterable[Signal], matcher: Matcher) -> Gathered:
    """Run ``signals`` through ``matcher`` in the order of observation.

    As in the pipeline, a post of a known thread follows its thread, and a signal seen again changes nothing.
    """
    ordered = sorted(signals, key=lambda signal: (signal.observed_ms, signal.created_ms, signal.id))
    threads: dict[str, str] = {}
    merged_into: dict[str, str] = {}
    stages: Counter[str] = Counter()
    arrival: dict[str, str] = {}
    expire_ms = ordered[0].observed_ms if ordered else 0
    for signal in ordered:
        if signal.id in arrival:
            continue
        if signal.observed_ms >= expire_ms:
            matcher.expire(signal.observed_ms)
            expire_ms = signal.observed_ms + EXPIRE_MS
        story = threads.get(signal.thread)
        if story is None:
            decision = matcher.decide(signal, signal.observed_ms)
            story = threads[signal.thread] = decision.story
            merged_into.update(decision.merged)
            stages[str(decision.stage)] += 1
        else:
            story = _follow(story, merged_into)
            stages["thread"] += 1
        arrival[signal.id] = story
    final = {signal: _follow(story, merged_into) for signal, story in arrival.items()}
    return Gathered(arrival, final, dict(stages.most_common()))


def _follow(story: str, merged_into: dict[str, str]) -> str:
    while story in merged_into:
        story = merged_into[story]
    return story


def _found(stories: Sequence[str], labels: Sequence[str | None]) -> int:
    sizes, totals = Counter(stories), Counter(labels)
    shared = Counter(zip(stories, labels, strict=True))
    return sum(
        label is not None and 2 * n >= sizes[story] and 2 * n >= totals[label] for (story, label), n in shared.items()
    )
