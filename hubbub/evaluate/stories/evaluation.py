"""How well a matcher gathers: labelled posts go through it in order, and its stories are held against the labels.

Owns the measure, B-cubed (Bagga and Baldwin, 1998): for each labelled post, the share of its story that is of its label
(precision), and the share of its label that is in its story (recall), averaged over posts. A post whose label is null
belongs to no story: it is not averaged, but it spoils the precision of the story it is put into.
Must never read files, nor know how a matcher decides.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.signal import Signal
from streams.resolve.matching.matcher import Matcher

__all__ = ["Agreement", "Evaluation", "Gathered", "Labelled", "agreement", "evaluate", "gather"]

EXPIRE_MS = 3_600_000
"""How often, in event time, stories without coverage are forgotten."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A signal and the story it belongs to; None: to no story."""

    signal: Signal
    label: str | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """B-cubed precision, recall and their harmonic mean, each 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of an evaluation.

    ``final``: the stories at the end, after all merges; ``arrival``: as each post was given to a story when it came.
    ``found``: labels of which one story holds at least half the posts and little else; ``of``: how many labels there
    are. ``stories``: those made. ``stages``: posts by what decided. ``seconds``: processor time spent.
    """

    signals: int
    labelled: int
    stories: int
    found: int
    of: int
    final: Agreement
    arrival: Agreement
    seconds: float
    stages: dict[str, int] = field(default_factory=dict)

    @property
    def signals_per_second(self) -> float:
        """Signals decided in a second."""
        return self.signals / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Gathered:
    """The story of each signal, by id: ``arrival``, as it came, and ``final``, after all merges.

    ``stages``: posts by what decided.
    """

    arrival: dict[str, str]
    final: dict[str, str]
    stages: dict[str, int]


def agreement(stories: Sequence[str], labels: Sequence[str | None]) -> Agreement:
    """Return how well ``stories`` agree with ``labels``, post by post; zeros if no post has a label."""
    sizes = Counter(stories)
    totals = Counter(label for label in labels if label is not None)
    shared = Counter((story, label) for story, label in zip(stories, labels, strict=True) if label is not None)
    posts = sum(totals.values())
    if not posts:
        return Agreement(0.0, 0.0, 0.0)
    # Each of the n posts that share story and label adds n/size, so the pair adds n²/size.
    precision = sum(n * n / sizes[story] for (story, _), n in shared.items()) / posts
    recall = sum(n * n / totals[label] for (_, label), n in shared.items()) / posts
    return Agreement(precision, recall, 2 * precision * recall / (precision + recall))


def evaluate(posts: Iterable[Labelled], matcher: Matcher) -> Evaluation:
    """Run ``posts`` through ``matcher`` in the order of their observation and say how well its stories fit."""
    labelled: dict[str, Labelled] = {}
    for post in posts:
        labelled.setdefault(post.signal.id, post)
    began = time.process_time()
    gathered = gather((post.signal for post in labelled.values()), matcher)
    seconds = time.process_time() - began
    truth = [labelled[signal].label for signal in gathered.arrival]
    final = list(gathered.final.values())
    return Evaluation(
        signals=len(truth),
        labelled=sum(label is not None for label in truth),
        stories=len(set(final)),
        found=_found(final, truth),
        of=len({label for label in truth if label is not None}),
        final=agreement(final, truth),
        arrival=agreement(list(gathered.arrival.values()), truth),
        seconds=seconds,
        stages=gathered.stages,
    )


def gather(signals: Iterable[Signal], matcher: Matcher) -> Gathered:
    """Run ``signals`` through ``matcher`` in the order of their observation.

    A post that belongs to a thread seen before follows its thread, as in the pipeline; one seen again changes nothing.
    """
    ordered = sorted(signals, key=lambda signal: (signal.observed_ms, signal.created_ms, signal.id))
    threads: dict[str, str] = {}
    became: dict[str, str] = {}
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
            became.update(decision.merged)
            stages[str(decision.stage)] += 1
        else:
            story = _last(story, became)
            stages["thread"] += 1
        arrival[signal.id] = story
    final = {signal: _last(story, became) for signal, story in arrival.items()}
    return Gathered(arrival, final, dict(stages.most_common()))


def _last(story: str, became: dict[str, str]) -> str:
    while story in became:
        story = became[story]
    return story


def _found(stories: Sequence[str], labels: Sequence[str | None]) -> int:
    """Count the labels of which one story holds at least half the posts, and of whose posts they are at least half."""
    sizes, totals = Counter(stories), Counter(labels)
    shared = Counter(zip(stories, labels, strict=True))
    return sum(
        label is not None and 2 * n >= sizes[story] and 2 * n >= totals[label] for (story, label), n in shared.items()
    )
