"""The English of the project follows the rules of docs/glossary.md and tests/docs/language.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.language import MAX_WORDS, REJECTED, ROOT, faults, files, violations

CHECKED = ("transport", "ingest", "streams", "scoring", "hubbub", "docs", "deploy", "benchmarks", "tests")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "pyproject.toml")

SENTENCES = {
    r"who(m)?ever": "Whoever reads it starts again.",
    r"nobody": "Nobody reads it.",
    r"anew": "The group forms anew.",
    r"\btold\b": "The page is told of it.",
    r"\bheard\b": "The group has not been heard of.",
    r"hang(s|ing)? on\b": "The rate hangs on the size.",
    r"let(s|ting)? go\b": "It lets go of its partitions.",
    r"by no fault": "It ends by no fault of its own.",
    r"\bof which\b": "It reads a log of which nothing is left.",
    r"thereby": "It is lost thereby.",
    r"strangers?\b": "A stranger wrote it.",
    r"\bmend(s|ed|ing)?\b": "The message says what to mend.",
    r"\bborne\b|\bbears? (that|it|with)\b": "A ledger bears that.",
    r"\bbark(s|ed)?\b": "It barks when there is work.",
    r"\b(a|the|such a|its) letters?\b(?! case| of)|\bbur(y|ies|ied|ying)\b": "It buries the record.",
    r"\btellers?\b": "The teller sends it.",
    r"\bparcels?\b": "A parcel of records.",
    r"\bagendas?\b": "The agenda of polls.",
    r"\bappointments?\b": "The appointment ends.",
    r"\bhandovers?\b": "A handover of partitions.",
    r"\bstragglers?\b": "The stragglers wait.",
    r"\bexhibits?\b": "The exhibits of a factor.",
    r"\btall(y|ies)\b|\bcensus\b": "The tally of items.",
    r"\bfeelings?\b": "It reads feelings.",
    r"\bcrowds?\b": "The crowd is sampled.",
    r"\bintakes?\b": "The intake reads.",
    r"\blanes?\b": "One lane for each source.",
    r"(?<!type )\bstubs?\b": "A stub forwards it.",
    r"\bfound(s|ed|ing)\b": "The post founded a story.",
    r"\bwatchers?\b": "The watchers receive it.",
    r"\bwatched (items|posts|stories)\b": "The watched items grow.",
    r"\baffinit(y|ies)\b": "The affinity of two posts.",
    r"\bsweeps?\b": "A sweep of the listing.",
    r"\bpaces?\b|\bpacing\b": "The pace of requests.",
    r"\bverdicts?\b": "The verdict is to retry.",
    r"\bpatience\b": "Its patience ends.",
    r"\b(a|the|second|first|one|two|each|every|further) looks?\b|\blook(s|ed) at\b|\blook(s|ed|ing) again\b": (
        "The item is looked at later."
    ),
    r"\b(a|the|bare|time|its|their|least) marks?\b|\bmarks of\b": "The least mark is sent.",
    r"\bsettl(e|es|ed|ing)\b": "The replay has settled.",
    r"\bclaim(s|ed|ing)?\b": "The claim is acknowledged.",
    r"\bowned\b": "The partitions that are owned.",
    r"\bboards?\b": "The board is complete.",
    r"\borders\b(?! of magnitude)": "The orders are kept.",
    r"\btied\b": "The broker is tied to its parent.",
    r"\bforgotten\b": "The story is forgotten.",
    r"(?<!half-)\blife\b|\blives\b": "In a life before this one.",
}


def test_all_prose_follows_the_rules() -> None:
    paths = [file for folder in CHECKED for file in files(ROOT / folder)]
    paths += [ROOT / page for page in PAGES]
    assert "\n".join(str(one) for path in paths for one in violations(path)) == ""


@pytest.mark.parametrize("pattern", REJECTED)
def test_a_planted_word_is_found(pattern: str) -> None:
    assert faults(SENTENCES[pattern])


@pytest.mark.parametrize(
    "text",
    [
        "What is gone is missed.",
        "What the producer holds is still delivered.",
        "Who reads to the end misses them.",
        "It stops. What was read is read again.",
        " ".join(["word"] * MAX_WORDS) + " more.",
    ],
)
def test_a_planted_sentence_is_found(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "What does the topic hold?",
        "What each topic holds: its key, its partitions.",
        "Renew the lease. A review of new views.",
        "The setting `patience_seconds` and :class:`Teller` are names.",
        " ".join(["word"] * MAX_WORDS) + ".",
        "It found two items. The half-life is a week. A letter case of its own.",
    ],
)
def test_plain_english_passes(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.md", "# Title\n\nNobody.\n\n```\nnobody\n```\n\n| nobody | x |\n", [3, 9]),
        ("b.py", '"""Nobody."""\n\n# Nobody\nX = "say that nobody came"  # noqa: S105 (nobody)\n', [1, 3, 4, 4]),
        ("c.py", 'def test_nobody_came():\n    """Say.\n\n    >>> nobody\n    """\n', [1]),
        ("d.js", "// nobody\nlet x = 1; /* nobody */\n", [1, 2]),
        ("e.toml", "# nobody\nx = 1\n", [1]),
    ],
)
def test_prose_is_found_in_each_kind_of_file(tmp_path: Path, name: str, text: str, lines: list[int]) -> None:
    (tmp_path / name).write_text(text)
    assert [violation.line for file in files(tmp_path) for violation in violations(file)] == lines
