"""Evaluation of figures: the public figures found in headlines, against those that the headlines name.

Owns the form of the file (a headline, TAB, the ids of the figures with commas between them, or nothing) and the
comparison. Must never know how a figure is found.
"""

from dataclasses import dataclass
from pathlib import Path

from hubbub.evaluate.answers.lines import read_cases
from hubbub.evaluate.precision_recall import PrecisionRecall
from ingest.signal import Signal
from streams.score.reading import Reader

FORM = "a headline, TAB, and the ids of the figures that it names (comma between; nothing for none)"


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline, and the ids of the figures that it names."""

    line: int
    text: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class WrongHeadline:
    """A headline with other figures than expected. ``unknown``: expected figures that no registry lists."""

    line: int
    headline: str
    expected: tuple[str, ...]
    found: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FiguresEvaluation:
    """The result: headlines with exactly the expected figures, of all; ``counts`` are of single figures."""

    right: int
    of: int
    counts: PrecisionRecall
    wrong: list[WrongHeadline]


def read_headlines(file: Path) -> list[Headline]:
    """Return the headlines of ``file``.

    Raises:
        UserError: the file cannot be read, a line has another form, or there is none.
    """
    return read_cases(file, FORM, _headline)


def _headline(number: int, fields: list[str]) -> Headline:
    text, *rest = fields
    if not text or len(rest) > 1:
        raise ValueError(f"has {len(rest) + 1} fields" if text else "has no headline")
    ids = rest[0].split(",") if rest and rest[0] else []
    if not all(id_.strip() for id_ in ids):
        raise ValueError("has an empty id between commas")
    return Headline(number, text, frozenset(id_.strip() for id_ in ids))


def evaluate_figures(headlines: list[Headline], reader: Reader) -> FiguresEvaluation:
    """Find the figures in each headline, as in the title of a post, and compare them with the expected ones."""
    counts = PrecisionRecall(0, 0, 0)
    wrong: list[WrongHeadline] = []
    for headline in headlines:
        found = frozenset(reader(_post(headline.text)).figures)
        expected = headline.expected
        counts += PrecisionRecall(len(found & expected), len(found - expected), len(expected - found))
        if found != expected:
            unknown = expected - reader.tiers.keys()
            ids = [tuple(sorted(figures)) for figures in (expected, found, unknown)]
            wrong.append(WrongHeadline(headline.line, headline.text, *ids))
    return FiguresEvaluation(len(headlines) - len(wrong), len(headlines), counts, wrong)


def _post(headline: str) -> Signal:
    return Signal(
        id="eval:1", kind="post", platform="eval", thread="eval:1", title=headline, created_ms=0, observed_ms=0
    )
