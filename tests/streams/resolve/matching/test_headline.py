"""Headlines: a story goes by the one that says best what all say, and seldom changes its name."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.headline import CANDIDATES, GROWTH, MAX_STEMS, Headlines

BANK = [
    "You will not believe what just happened to me this morning",
    "Quillon ledger outage leaves thousands without wages",
    "Quillon ledger outage: what we know",
    "Thousands without wages after Quillon outage",
    "Quillon says ledger outage is over",
    "Ledger outage at Quillon leaves thousands waiting for wages",
]


def headlines() -> Headlines:
    return Headlines(load_embedding("wordllama").usual)


def titles(heard: list[str]) -> list[str]:
    """Return what a story is called after each headline."""
    told, called = headlines(), []
    for title in heard:
        called.append(told.hear("st", title) or (called[-1] if called else title))
    return called


def test_a_story_comes_to_go_by_what_its_posts_agree_on() -> None:
    called = titles(BANK)
    assert called[0] == called[1] == BANK[0]
    assert called[-1] in BANK[1:]


def test_what_is_known_well_enough_stays() -> None:
    assert set(titles(["Quillon ledger outage leaves thousands without wages", *BANK[2:]])) == {BANK[1]}


def test_copies_are_no_support() -> None:
    advert = "Win a free phone today, click here and share"
    assert titles([BANK[1], *[advert] * 50, *BANK[2:]])[-1] in BANK


def test_a_question_is_told_from_what_answers_it() -> None:
    asked = "Why did the Quillon ledger outage leave thousands without wages?"
    assert titles([asked, *BANK[1:]])[-1] in BANK


def test_an_exclamation_is_no_headline() -> None:
    assert titles(["Ferry sinks off Tarnholm with forty aboard", *["Tarnholm!", "Ferry!!", "Tarnholm ferry"] * 9])[
        -1
    ] == ("Ferry sinks off Tarnholm with forty aboard")


def test_a_story_that_takes_in_another_keeps_its_title_until_it_grows() -> None:
    told = headlines()
    for title in BANK[:2]:
        told.hear("into", title)
    for title in BANK[2:5]:
        told.hear("gone", title)
    told.unite("gone", "into")
    told.unite("unheard of", "into")
    assert len(told) == 1
    assert told.hear("into", BANK[5]) in BANK[1:]
    told.forget("into")
    assert len(told) == 0
    told.hear("gone", BANK[0])
    told.unite("gone", "into")
    assert len(told) == 0, "nobody knows what it would be called there"


@given(st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_titles_seldom_change_and_nothing_grows(seed: int) -> None:
    chance = random.Random(seed)
    words = [f"word{number}" for number in range(300)]
    told, changes, posts = headlines(), 0, 400
    for _ in range(posts):
        title = " ".join(chance.choices(words, k=chance.randint(1, 9)))
        changes += told.hear("st", title) is not None
    (heard,) = told._stories.values()
    assert changes <= 1 + posts.bit_length() / (GROWTH - 1)
    assert len(heard.candidates) <= CANDIDATES
    assert len(heard.said) <= MAX_STEMS
    assert heard.title in heard.candidates
