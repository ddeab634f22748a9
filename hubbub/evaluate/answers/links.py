"""Evaluation of links: whether two links are recognised as one page, against what a file says.

Owns the form of the file and the comparison. Must never know how a link gets its key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubbub.evaluate.answers.lines import read_cases
from hubbub.evaluate.precision_recall import PrecisionRecall

FORM = "same or different, TAB, two links with a TAB between; or none or page, TAB, one link"


class Answer(StrEnum):
    """What two links are: one page or not. And what one link is: a page, or nothing that has a key."""

    SAME = "same"
    DIFFERENT = "different"
    PAGE = "page"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LinkCase:
    """One or two links, and what they are."""

    line: int
    expected: Answer
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrongLinks:
    """Links with another answer than expected, and the key of each (None: it has none)."""

    line: int
    expected: Answer
    found: Answer
    links: tuple[str, ...]
    keys: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class LinksEvaluation:
    """The result: lines with the expected answer, of all; ``counts`` are of pairs that are the same page."""

    right: int
    of: int
    counts: PrecisionRecall
    wrong: list[WrongLinks]


def read_links(file: Path) -> list[LinkCase]:
    """Return the cases of ``file``.

    Raises:
        UserError: the file cannot be read, a line has another form, or there is none.
    """
    return read_cases(file, FORM, _case)


def _case(number: int, fields: list[str]) -> LinkCase:
    word, *links = fields
    if word not in set(Answer):
        raise ValueError(f"begins with {word!r}")
    wanted = 1 if word in {Answer.NONE, Answer.PAGE} else 2
    given = links[:wanted]
    if len(given) < wanted or not all(given) or any(links[wanted:]):
        raise ValueError(f"does not have {wanted} link(s)")
    return LinkCase(number, Answer(word), tuple(given))


def evaluate_links(cases: list[LinkCase], key_of: Callable[[str], str | None]) -> LinksEvaluation:
    """Compare the keys of the links, given by ``key_of``, with what the cases say."""
    counts = PrecisionRecall(0, 0, 0)
    wrong: list[WrongLinks] = []
    for case in cases:
        keys = tuple(map(key_of, case.links))
        found = _answer(keys)
        is_same, found_same = case.expected is Answer.SAME, found is Answer.SAME
        counts += PrecisionRecall(is_same and found_same, found_same and not is_same, is_same and not found_same)
        if found is not case.expected:
            wrong.append(WrongLinks(case.line, case.expected, found, case.links, keys))
    return LinksEvaluation(len(cases) - len(wrong), len(cases), counts, wrong)


def _answer(keys: tuple[str | None, ...]) -> Answer:
    """Return what the keys say. Without a key, a link is never the same as another."""
    if len(keys) == 1:
        return Answer.NONE if keys[0] is None else Answer.PAGE
    return Answer.SAME if keys[0] is not None and keys[0] == keys[1] else Answer.DIFFERENT
