"""The offline assessor, held against headlines labelled by hand (impact 0 to 100, category, then text or signal id).

``headlines.tsv``: made up, and the parts were made with an eye on them. ``headlines_tried.tsv``: recorded titles that
weights and terms were tried on. ``headlines_untouched.tsv``: recorded titles, drawn and labelled after everything was
fixed and only ever measured. Recorded titles belong to their authors, so only ids are here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import wordllama
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring import Assessment
from scoring.impact import OfflineAssessor
from scoring.impact.assessor import word_vectors
from scoring.impact.lexicon import Lexicon

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def assessor() -> OfflineAssessor:
    word_vectors.cache_clear()  # a test whose coverage is not measured may have loaded them
    return OfflineAssessor()


@pytest.fixture(scope="module")
def model() -> wordllama.WordLlamaInference:
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def labelled(name: str) -> list[tuple[float, str, str]]:
    rows = [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    return [(float(impact), category, text) for impact, category, text in rows]


def ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the rank of each value; equal values share the mean of theirs."""
    array = np.asarray(values)
    return np.array([(array < value).sum() + (array == value).sum() / 2 for value in array])


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


def agreement(
    assessor: OfflineAssessor, rows: list[tuple[float, str, str]], titles: dict[str, str] | None = None
) -> tuple[float, float]:
    """Return Spearman's rank correlation of the impact, and the share of categories that agree."""
    found = [assessor.assess([titles[text] if titles else text], 0) for _, _, text in rows]
    same = sum(assessment.category == category for assessment, (_, category, _) in zip(found, rows, strict=True))
    return spearman([row[0] for row in rows], [assessment.impact for assessment in found]), same / len(rows)


def test_invented_headlines(assessor: OfflineAssessor) -> None:
    rows = labelled("headlines.tsv")
    assert len(rows) >= 100
    impact, category = agreement(assessor, rows)
    assert impact >= 0.85
    assert category >= 0.8


@pytest.mark.parametrize(
    ("name", "least", "same"), [("headlines_tried.tsv", 0.65, 0.7), ("headlines_untouched.tsv", 0.6, 0.5)]
)
def test_recorded_headlines(assessor: OfflineAssessor, shared: Path, name: str, least: float, same: float) -> None:
    with gzip.open(shared / "recordings" / "ai-beat.ndjson.gz") as lines:
        titles = {signal["id"]: signal["title"] for signal in map(json.loads, lines)}
    impact, category = agreement(assessor, labelled(name), titles)
    assert impact >= least
    assert category >= same


def test_a_story_without_text_is_in_the_middle(assessor: OfflineAssessor) -> None:
    assert assessor.assess([], 7) == Assessment(7, 50.0, "other")
    assert assessor.assess(["  "], 7) == Assessment(7, 50.0, "other")


def test_the_loudest_text_counts_most(assessor: OfflineAssessor) -> None:
    grave = "Government passes law that bans facial recognition after fatal error"
    light = "What is your favourite cat picture?"
    first, second = assessor.assess([grave, light], 0), assessor.assess([light, grave], 0)
    assert assessor.assess([light], 0).impact < second.impact < first.impact < assessor.assess([grave], 0).impact


def test_an_assessment_stays_on_the_scale(assessor: OfflineAssessor) -> None:
    for text in (
        "ban law fatal billion lawsuit strike layoffs breach " * 9,
        "lol meme cats? my favourite joke",
        "\U0001f4e2",
        "x",
    ):
        assert 0 <= assessor.assess([text], 0).impact <= 100


def test_a_text_without_terms_is_in_the_other_category(assessor: OfflineAssessor) -> None:
    assert not Lexicon.default().read("Chromosome identification").categories
    assert assessor.assess(["Chromosome identification"], 0).category == "other"


@given(st.text(st.sampled_from("ab cd\u00e9 \u6f22\n\t\u2581\U0001f600<s>0,'-# THE  "), max_size=40))
@example("A headline of some words, and what follows")
@example("two  spaces, ")
@example("not a start: <s>one")
@settings(max_examples=200, deadline=None)
def test_embedding_word_by_word_equals_the_models_own(model: wordllama.WordLlamaInference, text: str) -> None:
    whole = model.embedding[model.tokenizer.encode(text, add_special_tokens=False).ids].sum(axis=0)
    assert np.array_equal(word_vectors()([text])[0], whole)


def test_any_embedding_works() -> None:
    """With one that tells nothing apart, the lexicon alone decides."""
    flat = OfflineAssessor(lambda texts: np.zeros((len(texts), 3), dtype=np.float32))
    assert flat.assess(["Bank lays off 2,000 employees"], 0).category == "labor"


def test_terms_are_matched_as_the_header_of_the_file_says() -> None:
    read = Lexicon.default().read
    assert "labor" in read("LAYOFFS everywhere").categories
    assert "labor" in read("they  lay \n off people").categories
    assert "policy" not in read("lawful flaws").categories
    assert read("law law law") == read("law")
