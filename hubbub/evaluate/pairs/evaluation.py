"""Evaluation of pairs: the posts of a beat are gathered into stories, and the labelled pairs are compared with them.

Owns the choice of posts, and the comparison. Must never know how a matcher decides, nor read the file of pairs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hubbub.evaluate.pairs.labelled import LabelledPair
from hubbub.evaluate.precision_recall import PrecisionRecall
from hubbub.evaluate.stories.evaluation import gather
from hubbub.recordings import read_recordings
from ingest.signal import InvalidSignalError, Signal
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.matcher import Matcher
from transport.errors import UserError

UNDRAWN = "not stated"
"""How a pair was drawn, if its line does not say it."""


@dataclass(frozen=True, slots=True)
class WrongPair:
    """A pair that the stories contradict: ``same`` without being ``together``, or the reverse."""

    line: int
    a: str
    b: str
    same: bool
    together: bool
    titles: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PairsEvaluation:
    """The result. Of ``pairs``, ``measured`` have both posts in stories.

    ``missing``: pairs with a post that the recording does not hold; ``irrelevant``: with one that the beat does not
    take. ``posts``: those gathered, into ``stories``. ``drawn``: the counts by the way the pairs were drawn.
    """

    pairs: int
    missing: int
    irrelevant: int
    posts: int
    stories: int
    counts: PrecisionRecall
    drawn: dict[str, PrecisionRecall]
    wrong: list[WrongPair] = field(default_factory=list)

    @property
    def measured(self) -> int:
        """The number of pairs that the figures are made of."""
        return self.pairs - self.missing - self.irrelevant


def read_posts(recording: Path) -> dict[str, Signal]:
    """Return the signals of ``recording`` by id, the first observation of each.

    Raises:
        UserError: the file cannot be read, or a line is not a signal.
    """

    def refuse(file: Path, number: int, error: InvalidSignalError) -> None:
        raise UserError(f"{file.name}, line {number} is not a signal: {error}; see docs/reference/contracts.md")

    found: dict[str, Signal] = {}
    for signal, _ in read_recordings([recording], refuse):
        found.setdefault(signal.id, signal)
    return found


def relevant(signals: Iterable[Signal], beat: Beat) -> list[Signal]:
    """Return the root posts that are relevant to ``beat``, and what was said in their threads, as the pipeline does."""
    signals = list(signals)
    threads = {signal.thread for signal in signals if signal.is_root and beat.relevant(signal)}
    return [signal for signal in signals if signal.thread in threads]


def evaluate_pairs(
    signals: dict[str, Signal], pairs: Sequence[tuple[int, LabelledPair]], beat: Beat, matcher: Matcher
) -> PairsEvaluation:
    """Gather those of ``signals`` that are relevant to ``beat``, and compare the stories with ``pairs``."""
    stories = gather(relevant(signals.values(), beat), matcher).final
    missing = irrelevant = 0
    drawn: dict[str, PrecisionRecall] = {}
    wrong: list[WrongPair] = []
    for number, pair in pairs:
        if pair.a not in signals or pair.b not in signals:
            missing += 1
            continue
        if pair.a not in stories or pair.b not in stories:
            irrelevant += 1
            continue
        together = stories[pair.a] == stories[pair.b]
        way = pair.drawn or UNDRAWN
        drawn[way] = drawn.get(way, PrecisionRecall(0, 0, 0)) + PrecisionRecall(
            right=together and pair.same, false=together and not pair.same, missed=pair.same and not together
        )
        if together is not pair.same:
            titles = (_title(signals[pair.a]), _title(signals[pair.b]))
            wrong.append(WrongPair(number, pair.a, pair.b, pair.same, together, titles))
    return PairsEvaluation(
        pairs=len(pairs),
        missing=missing,
        irrelevant=irrelevant,
        posts=len(stories),
        stories=len(set(stories.values())),
        counts=sum(drawn.values(), PrecisionRecall(0, 0, 0)),
        drawn=dict(sorted(drawn.items())),
        wrong=wrong,
    )


def _title(signal: Signal) -> str:
    return " ".join((signal.title or signal.text or "").split())
