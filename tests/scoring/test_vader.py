"""`scoring.vader` gives the values of the authors' program, to the last digit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from scoring.vader import Vader

VADER = SentimentIntensityAnalyzer()
compound = Vader().compound
RULES = ["no", "or", "nor", "at", "least", "so", "this", "but", "kind", "of", "without", "doubt", "never", "Y'AIN'T"]
WORDS = [*BOOSTER_DICT, *NEGATE, *SPECIAL_CASES, *RULES]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the meeting is on Tuesday",
        "kind of good",
        "how kind of you",
        "a kind man",
        "GOOD and bad",
        "a TERRIBLE day",
        "bad \U0001f601 \U0001f601",
        "\U0001f601nice",
        "that\u2019s nice",
        "no good",
        "no",
        "no real good",
        "no food or good",
        "not good",
        "not very good",
        "not a very good day",
        "VERY good",
        "VERY bad",
        "so very good",
        "never so good",
        "never this very good",
        "so nice a good day",
        "without doubt good",
        "without a doubt good",
        "don't be good",
        "the least good",
        "at least good",
        "least good",
        "it's the bomb!!",
        "that was a real kiss of death",
        "a b c sort of good",
        "just enough good",
        "enough good",
        "a good enough day",
        "good but bad",
        "bad??? good!",
        "love hate",
    ],
)
def test_each_rule(text: str) -> None:
    assert compound(text) == VADER.polarity_scores(text)["compound"]


@given(
    st.lists(
        st.tuples(
            st.one_of(*map(st.sampled_from, (WORDS, sorted(VADER.lexicon)))),
            st.sampled_from((str, str.upper)),
            st.sampled_from(("", "!", "??", ",")),
        ),
        max_size=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_words(words: list[tuple[str, Callable[[str], str], str]]) -> None:
    test_each_rule(" ".join(case(word) + mark for word, case, mark in words))


@given(st.text(max_size=80))
@settings(max_examples=50, deadline=None)
def test_any_text(text: str) -> None:
    test_each_rule(text)
