"""The offline assessor, held against headlines labelled by hand (impact 0 to 100, category, then text or signal id).

``headlines.tsv``: made up. ``headlines_tried.tsv``, ``headlines_learnt.tsv``: recorded titles. The weights are learnt
from all three, and the terms were chosen with an eye on them. ``headlines_untouched.tsv``: recorded titles that are
only ever measured. Recorded titles belong to their authors, so only ids are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import wordllama
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring import Assessment
from scoring.assessment import Category
from scoring.impact import OfflineAssessor
from scoring.impact.assessor import DIMENSIONS, ROOT_IMPACT, word_vectors
from scoring.impact.lexicon import Lexicon
from tests.scoring.learn_impact import FILE, learn
from tests.scoring.recorded_titles import Headline, labelled, recorded_titles


@pytest.fixture(scope="module")
def assessor() -> OfflineAssessor:
    return OfflineAssessor()


@pytest.fixture(scope="module")
def model() -> wordllama.WordLlamaInference:
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the rank of each value; equal values share the mean of theirs."""
    array = np.asarray(values)
    return np.array([(array < value).sum() + (array == value).sum() / 2 for value in array])


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


def agreement(assessor: OfflineAssessor, headlines: list[Headline]) -> tuple[float, float]:
    """Return Spearman's rank correlation of the impact, and the share of categories that agree."""
    found = [assessor.assess([headline.text], 0) for headline in headlines]
    same = sum(one.category == headline.category for one, headline in zip(found, headlines, strict=True))
    return spearman([headline.impact for headline in headlines], [one.impact for one in found]), same / len(headlines)


def test_invented_headlines(assessor: OfflineAssessor) -> None:
    headlines = labelled("headlines.tsv")
    assert len(headlines) >= 500
    impact, category = agreement(assessor, headlines)
    assert impact >= 0.86
    assert category >= 0.82


@pytest.mark.parametrize(
    ("name", "least", "same"),
    [("headlines_tried.tsv", 0.82, 0.89), ("headlines_learnt.tsv", 0.76, 0.84), ("headlines_untouched.tsv", 0.71, 0.7)],
)
def test_recorded_headlines(assessor: OfflineAssessor, shared: Path, name: str, least: float, same: float) -> None:
    headlines = labelled(name, recorded_titles(shared))
    assert len(headlines) >= 150
    impact, category = agreement(assessor, headlines)
    assert impact >= least
    assert category >= same


def test_the_weights_are_those_that_are_learnt(shared: Path) -> None:
    evidence, weights = learn(shared)
    header, *rows = FILE.read_text(encoding="utf-8").splitlines()
    assert header.split("\t")[1:] == [*get_args(Category), ROOT_IMPACT]
    assert [row.split("\t")[0] for row in rows] == list(evidence.names)
    written = np.array([[float(weight) for weight in row.split("\t")[1:]] for row in rows])
    assert np.allclose(written, weights, rtol=0.01, atol=0.001)


def test_weights_of_another_lexicon_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lexicon, "default", lambda: Lexicon({"cats": ("cat$",)}))
    with pytest.raises(ValueError, match="learn_impact"):
        OfflineAssessor(lambda texts: np.zeros((len(texts), DIMENSIONS), dtype=np.float32))


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
    assert not any(Lexicon.default().read("Blue chairs and green tables"))
    assert assessor.assess(["Blue chairs and green tables"], 0).category == "other"


@given(st.text(st.sampled_from("ab cd\u00e9 \u6f22\n\t\u2581\U0001f600<s>0,'-# THE  "), max_size=40))
@example("A headline of some words, and what follows")
@example("two  spaces, ")
@example("not a start: <s>one")
@settings(max_examples=200, deadline=None)
def test_embedding_word_by_word_equals_the_models_own(model: wordllama.WordLlamaInference, text: str) -> None:
    whole = model.embedding[model.tokenizer.encode(text, add_special_tokens=False).ids].sum(axis=0)
    assert np.array_equal(word_vectors()([text])[0], whole)


def test_words_suffice() -> None:
    """With an embedding that tells nothing apart, terms and form decide."""
    flat = OfflineAssessor(lambda texts: np.zeros((len(texts), DIMENSIONS), dtype=np.float32))
    assert flat.assess(["Bank lays off 2,000 employees"], 0).category == "labor"


def test_terms_are_matched_as_the_header_of_the_file_says() -> None:
    lexicon = Lexicon({"labor": ("lay off", "layoff", "worker"), "policy": ("law$", "act$", "bill$", "veto")})
    assert lexicon.read("LAYOFFS everywhere") == [1.0, 0.0]
    assert lexicon.read("they  lay \n off people") == [1.0, 0.0]
    assert lexicon.read("lawful flaws") == [0.0, 0.0]
    assert lexicon.read("law law law") == lexicon.read("law")
    assert lexicon.read("veto the law, the act and the bill") == lexicon.read("the law, the act and the bill")
