"""Which of 72 made-up pairs of headlines in eight languages the matcher puts together; half of them are traps.

The floors are what it reaches now. Across languages that is nearly nothing. A story becomes a candidate by words that
it shares with a post, and two languages share only names and numbers (docs/adr/0012-no-sentence-encoder.md).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from hubbub.evaluate.answers.lines import read_answers
from hubbub.evaluate.pairs.evaluation import PairsEvaluation, evaluate_pairs
from hubbub.evaluate.pairs.labelled import LabelledPair
from ingest.signal import Author, Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher
from tests.streams.examples.signals import root

FILE = Path(__file__).with_name("headline_pairs.tsv")
STEP_MS = 300_000
ROWS = [fields for _, fields in read_answers(FILE)]


def across(languages: str) -> bool:
    one, other = languages.split("-")
    return one != other


@pytest.fixture(scope="module")
def result() -> PairsEvaluation:
    """Let the first headline of each pair arrive, then the second ones, five minutes apart; return what is together."""
    posts: dict[str, Signal] = {}
    pairs = []
    for number, (answer, languages, *headlines) in enumerate(ROWS):
        ids = f"t:{number}a", f"t:{number}b"
        for place, (id_, headline) in enumerate(zip(ids, headlines, strict=True)):
            post = root(id_, STEP_MS * (place * len(ROWS) + number), title=headline)
            posts[id_] = msgspec.structs.replace(post, author=Author(name=id_))
        drawn = f"{answer}, {'across' if across(languages) else 'within'}"
        pairs.append((number, LabelledPair(*ids, same=answer == "same", drawn=drawn)))
    beat = load_beat("general")
    return evaluate_pairs(posts, pairs, beat, Matcher(beat))


def test_half_of_the_pairs_are_traps_and_eight_languages_take_part() -> None:
    assert Counter(answer for answer, *_ in ROWS) == {"same": 36, "different": 36}
    assert {language for _, languages, *_ in ROWS for language in languages.split("-")} == {
        "de", "en", "es", "fr", "ja", "pt", "ru", "zh",
    }  # fmt: skip
    headlines = [headline for _, _, *both in ROWS for headline in both]
    assert len(set(headlines)) == 2 * len(ROWS)


def test_one_story_in_one_language_is_found(result: PairsEvaluation) -> None:
    within = result.drawn["same, within"]
    assert within.right + within.missed == 15
    assert within.right >= 14


def test_traps_in_one_language_stay_apart_but_for_a_few(result: PairsEvaluation) -> None:
    assert result.drawn["different, within"].false <= 7


def test_across_languages_traps_stay_apart_and_few_stories_are_found(result: PairsEvaluation) -> None:
    assert result.drawn["different, across"].false == 0
    assert result.drawn["same, across"].right >= 1
