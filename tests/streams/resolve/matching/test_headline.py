"""Headlines: a story takes the title that best covers what its posts say, and seldom changes it."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.headline import CANDIDATES, GROWTH, MAX_STEMS, MAX_THREADS, TAKEN_BACK, Headlines

BANK = [
    "You will not believe what just happened to me this morning",
    "Quillon ledger outage leaves thousands without wages",
    "Quillon ledger outage: what we know",
    "Thousands without wages after Quillon outage",
    "Quillon says ledger outage is over",
    "Ledger outage at Quillon leaves thousands waiting for wages",
]


def headlines() -> Headlines:
    return Headlines(load_embedding().usual)


def titles(added: list[str]) -> list[str]:
    """Return the title of a story after each added headline."""
    story, chosen = headlines(), list[str]()
    for title in added:
        chosen.append(story.add("st", title, f"x:{len(chosen)}") or (chosen[-1] if chosen else title))
    return chosen


def test_a_story_takes_the_title_that_its_posts_agree_on() -> None:
    chosen = titles(BANK)
    assert chosen[0] == chosen[1] == BANK[0]
    assert chosen[-1] in BANK[1:]


def test_a_good_first_title_stays() -> None:
    assert set(titles(["Quillon ledger outage leaves thousands without wages", *BANK[2:]])) == {BANK[1]}


def test_copies_of_a_headline_give_it_no_weight() -> None:
    advert = "Win a free phone today, click here and share"
    assert titles([BANK[1], *[advert] * 50, *BANK[2:]])[-1] in BANK


def test_an_answer_replaces_a_question() -> None:
    asked = "Why did the Quillon ledger outage leave thousands without wages?"
    assert titles([asked, *BANK[1:]])[-1] in BANK


def test_an_exclamation_never_becomes_the_title() -> None:
    assert titles(["Ferry sinks off Tarnholm with forty aboard", *["Tarnholm!", "Ferry!!", "Tarnholm ferry"] * 9])[
        -1
    ] == ("Ferry sinks off Tarnholm with forty aboard")


def test_a_merged_story_keeps_its_title_until_it_grows() -> None:
    stories = headlines()
    for title in BANK[:2]:
        stories.add("into", title, title)
    for title in BANK[2:5]:
        stories.add("gone", title, title)
    stories.merge("gone", "into")
    stories.merge("unknown", "into")
    assert len(stories) == 1
    assert stories.add("into", BANK[5], "x:5") in BANK[1:]
    stories.drop("into")
    assert len(stories) == 0
    stories.add("gone", BANK[0], "x:0")
    stories.merge("gone", "into")
    assert len(stories) == 0, "without headlines of its own, the story gets none of the merged one"


@given(st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_titles_seldom_change_and_memory_is_bounded(seed: int) -> None:
    chance = random.Random(seed)
    words = [f"word{number}" for number in range(300)]
    stories, changes, posts = headlines(), 0, 400
    for _ in range(posts):
        title = " ".join(chance.choices(words, k=chance.randint(1, 9)))
        changes += stories.add("st", title, title) is not None
    (kept,) = stories._stories.values()
    assert not isinstance(kept, tuple)
    assert changes <= 1 + posts.bit_length() / (GROWTH - 1)
    assert len(kept.candidates) <= CANDIDATES
    assert len(kept.stems) <= MAX_STEMS
    assert kept.title in kept.candidates


def test_a_headline_that_was_taken_back_is_no_title_any_more() -> None:
    stories = headlines()
    title = BANK[0]
    for number, headline in enumerate(BANK[:3]):
        title = stories.add("st", headline, f"x:{number}") or title
    first, *others = sorted(range(3), key=lambda number: BANK[number] != title)
    assert stories.withdraw("st", f"x:{others[0]}") is None
    assert stories.withdraw("st", f"x:{first}") == BANK[others[1]]
    assert stories.withdraw("st", "x:unknown") is None
    assert stories.withdraw("st", f"x:{others[1]}") == TAKEN_BACK
    assert stories.withdraw("unknown", "x:0") is None
    assert stories.add("st", "", "x:4") is None
    assert BANK[4] in {stories.add("st", BANK[4], f"x:{number}") for number in range(5, 9)}


def test_a_headline_that_others_have_too_stays() -> None:
    stories = headlines()
    for thread in ("x:0", "x:1"):
        stories.add("st", BANK[0], thread)
    assert stories.withdraw("st", "x:0") is None
    assert stories.withdraw("st", "x:1") == TAKEN_BACK
    many = headlines()
    for number in range(MAX_THREADS + 1):
        many.add("st", BANK[0], f"x:{number}")
    assert {many.withdraw("st", f"x:{number}") for number in range(MAX_THREADS + 1)} == {None}


def test_a_story_of_one_post_that_was_taken_back_says_so() -> None:
    stories = headlines()
    stories.add("st", BANK[0], "x:0")
    assert stories.withdraw("st", "x:0") == TAKEN_BACK
