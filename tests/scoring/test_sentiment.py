"""Sentiment: what a reply says for or against what it answers; what is not clear is unknown.

``replies_tried.tsv``: recorded replies that terms and numbers were tried on. ``replies_untouched.tsv``: drawn and
labelled before any change, and only ever measured. A label says how a person would call the reply's attitude to what it
answers; ``unknown`` where that is not clear. Recorded replies belong to their authors, so only ids are here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import sentiment
from tests.scoring.recorded_replies import recorded_replies

HERE = Path(__file__).parent
SIGN = {"positive": 1, "negative": -1, "unknown": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This is a great idea and I love what they did", 1),
        ("This is a terrible idea and I hate what they did", -1),
        ("They\u2019re awful, and I don\u2019t think that this will ever be fixed", -1),
        ("Great work, congrats!!", 1),
        ("LFGGGG", 1),
        ("sooo goood", 1),
        ("I can't wait to try it", 1),
        ("This isn't true at all", -1),
        ("That makes no sense to me", -1),
        ("What a waste of time, and they know it", -1),
        ("Is this a joke? It is awful and useless", -1),
        ("great job \U0001f44d", 1),
        ("They are awful, and this outage is what I hate", -1),
        ("> I hate it and it is awful\nThis is wonderful, thank you", 1),
        ('You called it "the most awful thing that we have ever seen" and I love it', 1),
    ],
)
def test_an_attitude(text: str, expected: int) -> None:
    assert sentiment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The meeting is on Tuesday and it will be in the office",
        "The plan is what it is. " * 30 + "I love it, great, wonderful",
        "I was there with them when the train came and then we all went on to this calm place they have",
        "yes",
    ],
)
def test_no_attitude_is_unknown(text: str) -> None:
    assert sentiment(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f525\U0001f525\U0001f525",
        "\U0001f600\U0001f600",
        "\u2764\ufe0f\U0001f44f",
        "great job \U0001f644",
        "Wonderful news, I love it \U0001f643",
        "this is so good /s",
        "What a great idea #sarcasm",
        "Great, another layoff",
        "Awesome, yet another subscription",
        "Wonderful, the outage is back",
        "Oh great, this is what we need",
        "Yeah right, you are so good at this",
        "Thanks for nothing",
        "Just what we needed, more of this",
        'What a "great" idea that was',
        "Your \u201cbrilliant\u201d plan is what it is",
        "Is this any good?",
        "Why do you think that this is a good idea?",
    ],
)
def test_irony_emojis_and_questions_are_unknown(text: str) -> None:
    assert sentiment(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Das ist eine furchtbare Idee und ich hasse sie",
        "was machen wir in der Stadt so, die war gut",
        "C'est une id\u00e9e terrible, je la d\u00e9teste",
        "\u8fd9\u662f\u4e00\u4e2a\u5f88\u597d\u7684\u4e3b\u610f",
        "das ist great",
        "https://example.org/the-best-of-the-best",
        "1234 5678",
        "",
        None,
    ],
)
def test_a_text_not_known_to_be_english_is_unknown(text: str | None) -> None:
    assert sentiment(text) is None


def test_the_language_stated_by_the_platform_decides() -> None:
    assert sentiment("das ist great", "en") == 1
    assert sentiment("das ist great", "en-GB") == 1
    assert sentiment("das ist great", "eng_US") == 1
    assert sentiment("This is a great idea and I love what they did", "de") is None
    assert sentiment("This is a great idea and I love what they did", "english?") is None


def test_a_term_is_a_whole_word() -> None:
    assert sentiment("you like w/sugar, and that is great") == 1  # not the sign "/s"
    assert sentiment("they made the trashcan of it") is None


def test_letters_that_change_their_length_in_lower_case_are_read() -> None:
    assert sentiment("\u0130\u0130\u0130 I can't wait for this, and that is great", "en") == 1


@given(st.text(max_size=700), st.sampled_from((None, "en", "fr")))
@settings(max_examples=30, deadline=None)
def test_any_text_is_read(text: str, lang: str | None) -> None:
    assert sentiment(text, lang) in {None, -1, 1}


@pytest.mark.parametrize(
    ("name", "judged", "right", "meant"), [("tried", 0.7, 0.9, 0.7), ("untouched", 0.6, 0.8, 0.75)]
)
def test_recorded_replies(shared: Path, name: str, judged: float, right: float, meant: float) -> None:
    """Of the replies with an attitude, the share that is judged and the share of those that has the right sign.

    ``meant``: of all replies that are judged, the share in which a reader sees that attitude, too.
    """
    texts = recorded_replies(shared)
    rows = [line.split("\t") for line in (HERE / f"replies_{name}.tsv").read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 200
    signs = [(SIGN[label], sentiment(texts[id_])) for label, id_ in rows]
    with_attitude = [(label, sign) for label, sign in signs if label]
    said = [label == sign for label, sign in with_attitude if sign]
    assert len(said) >= judged * len(with_attitude)
    assert sum(said) >= right * len(said)
    assert sum(said) >= meant * sum(sign is not None for _, sign in signs)
