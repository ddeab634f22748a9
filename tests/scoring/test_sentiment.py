"""Sentiment: English by VADER, everything else unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from scoring import sentiment

VADER = SentimentIntensityAnalyzer()
TELLING = [
    *BOOSTER_DICT,
    *NEGATE,
    *SPECIAL_CASES,
    "no",
    "or",
    "nor",
    "at",
    "least",
    "so",
    "this",
    "but",
    "kind",
    "of",
    "Y'AIN'T",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This is a great idea and I love what they did", 1),
        ("This is a terrible idea and I hate what they did", -1),
        ("The meeting is on Tuesday and it will be in the office", 0),
        ("They\u2019re awful, and I don\u2019t think that this will ever be fixed", -1),
    ],
)
def test_english(text: str, expected: int) -> None:
    assert sentiment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Das ist eine furchtbare Idee und ich hasse sie",
        "was machen wir in der Stadt so, die war gut",
        "C'est une id\u00e9e terrible, je la d\u00e9teste",
        "\u8fd9\u662f\u4e00\u4e2a\u5f88\u597d\u7684\u4e3b\u610f",
        "great",
        "https://example.org/the-best-of-the-best",
        "\U0001f600\U0001f600",
        "1234 5678",
        "",
        None,
    ],
)
def test_a_text_not_known_to_be_english_is_unknown_not_neutral(text: str | None) -> None:
    assert sentiment(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "kind of good",
        "how kind of you",
        "kind",
        "GOOD and bad",
        "bad \U0001f601 \U0001f601",
        "no good",
        "it's the bomb!!",
    ],
)
def test_the_sign_is_vaders(text: str) -> None:
    compound = VADER.polarity_scores(text)["compound"]
    assert sentiment(text, "en") == (compound >= 0.05) - (compound <= -0.05)


@given(
    st.lists(
        st.tuples(
            st.one_of(*map(st.sampled_from, (TELLING, sorted(VADER.lexicon)))),
            st.sampled_from((str, str.upper)),
            st.sampled_from(("", "!", "??", ",")),
        ),
        max_size=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_sign_of_any_words_is_vaders(words: list[tuple[str, Callable[[str], str], str]]) -> None:
    test_the_sign_is_vaders(" ".join(case(word) + mark for word, case, mark in words) + " indeed")


def test_the_language_stated_by_the_platform_decides() -> None:
    assert sentiment("great", "en") == 1
    assert sentiment("great", "en-GB") == 1
    assert sentiment("great", "eng_US") == 1
    assert sentiment("This is a great idea and I love what they did", "de") is None
    assert sentiment("This is a great idea and I love what they did", "english?") is None


def test_only_the_beginning_counts() -> None:
    assert sentiment("The plan is what it is. " * 30 + "I love it, great, wonderful") == 0


@given(st.text(max_size=700), st.sampled_from((None, "en", "fr")))
@settings(max_examples=30, deadline=None)
def test_any_text_is_read(text: str, lang: str | None) -> None:
    assert sentiment(text, lang) in {None, -1, 0, 1}
