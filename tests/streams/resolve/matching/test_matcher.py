"""The matcher puts posts of one story together, keeps others apart, and decides the same after a restart."""

from __future__ import annotations

import gzip
import json
import random
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from hubbub.evaluate.stories.evaluation import Evaluation, Labelled, evaluate
from ingest.signal import Signal, decode
from streams.records.stories import Assignment, StoryInfo
from streams.resolve.matching.matcher import MatchStage
from streams.resolve.matching.text import words
from tests.streams.resolve.matching.posts import HOUR_MS, START_MS, decide, final, matcher, post

QUAKE = (
    "Magnitude 7.1 earthquake strikes off Chile, tsunami warning issued",
    "Chile earthquake: tsunami warning for the whole coast",
    "Strong earthquake hits northern Chile, thousands leave the coast",
    "Tsunami warning lifted after Chile earthquake",
    "Earthquake in Chile: at least six dead near Iquique",
    "Iquique after the earthquake: a night in the streets",
)
FERRY = (
    "Ferry to Gotland runs aground with 300 aboard",
    "Passengers rescued from Gotland ferry that ran aground",
    "Gotland ferry aground: captain questioned by police",
)


def test_two_interleaved_stories_stay_two() -> None:
    posts = [post(n, title) for n, title in enumerate((QUAKE[0], FERRY[0], QUAKE[1], FERRY[1], QUAKE[2], FERRY[2]))]
    decisions = decide(matcher(), posts)
    stories = final(decisions)
    assert stories[0] == stories[2] == stories[4]
    assert stories[1] == stories[3] == stories[5]
    assert stories[0] != stories[1]
    assert [decision.created for decision in decisions[:2]] == [True, True]


def test_the_same_link_or_the_same_words_decide_alone() -> None:
    given = matcher()
    first = given.decide(post(0, FERRY[0], url="https://news.example/a?utm_source=x"), START_MS)
    by_link = given.decide(post(1, "Oh no", url="https://m.news.example/a"), START_MS)
    copied = given.decide(post(2, FERRY[0].upper() + "!!"), START_MS)
    assert (by_link.story, by_link.stage) == (first.story, MatchStage.URL)
    assert (copied.story, copied.stage) == (first.story, MatchStage.NEAR_DUPLICATE)


def test_one_shared_word_joins_no_story() -> None:
    titles = (
        "My dog",
        "Dog gets a bath",
        "Rescue dog rests",
        "A dog in the snow",
        "What a good dog",
        "Dog steals sausage",
    )
    assert len(set(final(decide(matcher(), [post(n, title) for n, title in enumerate(titles)])))) >= 5


def test_a_small_story_is_rechecked_once_more_is_known() -> None:
    posts = [post(n, title) for n, title in enumerate(("Iquique: a night in the streets", FERRY[0], *QUAKE))]
    later = [post(300, FERRY[1]), post(301, FERRY[2])]
    for known, pieces in ((5, 2), (500, 3)):
        given = matcher(recheck_posts=known, merge_one=50.0)
        assert [decision.merged for decision in decide(given, posts)] == [()] * len(posts)
        decisions = decide(given, later)
        assert len(given) == pieces
        assert len(decisions[0].merged) == 3 - pieces, "four hours later, with a post of another story"


def test_a_join_needs_more_evidence_where_most_posts_have_no_story() -> None:
    letters = random.Random(1)
    strange = ["".join(letters.choices("bcdfghklmnprstvz", k=6)) for _ in range(1_200)]
    background = [post(n, " ".join(strange[n * 6 : n * 6 + 6])) for n in range(200)]
    alike = [post(300, "Bridge over the river Aller is closed"), post(301, "An old bridge across a river")]
    surely = [post(400 + n, title) for n, title in enumerate(QUAKE)]
    for before, stories in (([], 1), (background, 2)):
        given = matcher()
        decide(given, before)
        assert len({decision.story for decision in decide(given, alike)}) == stories
        assert len(set(final(decide(given, surely)))) == 1


@pytest.mark.parametrize(
    "titles",
    [
        ("Fuerte terremoto sacude el norte de Chile", "Terremoto en Chile: alerta de tsunami en el norte"),
        ("Паром с 300 пассажирами сел на мель у Готланда", "Пассажиры парома у Готланда спасены, паром на мели"),
        ("チリ北部で強い地震、津波警報", "チリ地震で津波警報、沿岸の住民が避難"),
    ],
    ids=("es", "ru", "ja"),
)
def test_posts_of_one_story_in_other_languages_stay_together(titles: tuple[str, str]) -> None:
    others = [post(n + 10, title) for n, title in enumerate(FERRY)]
    stories = final(decide(matcher(), [*others, *(post(n + 20, title) for n, title in enumerate(titles))]))
    assert stories[3] == stories[4]
    assert stories[3] not in stories[:3]


def test_a_story_without_a_new_post_expires() -> None:
    given = matcher(forget_hours=48)
    first, later = decide(given, [post(0, QUAKE[0]), post(1, QUAKE[1], hours=30)])
    assert later.story == first.story
    assert given.expire(START_MS + 77 * HOUR_MS) == []
    assert given.expire(START_MS + 79 * HOUR_MS) == [first.story]
    assert len(given) == 0
    again = given.decide(post(2, QUAKE[0], hours=80), START_MS + 80 * HOUR_MS)
    assert again.created


def test_above_the_limit_the_longest_silent_story_expires() -> None:
    given = matcher(max_stories=2)
    first, second, _ = decide(given, [post(n, t) for n, t in enumerate((QUAKE[0], FERRY[0], "Oslo opens a new opera"))])
    assert given.expire(START_MS) == [first.story]
    assert given.story(second.story).title == FERRY[0]
    with pytest.raises(KeyError):
        given.story(first.story)


def test_slugs_stay_unique_after_a_merge() -> None:
    given = matcher()
    slugs = [given.story(d.story).slug for d in decide(given, [post(n, "Plane") for n in range(3)]) if d.created]
    assert len(slugs) == len(set(slugs))


def labelled(shared: Path, name: str, some: int) -> list[Labelled]:
    with gzip.open(shared / f"labelled/{name}.ndjson.gz") as lines:
        return [Labelled(decode(line.strip()), json.loads(line)["label"]) for line in islice(lines, some)]


def test_a_matcher_that_adopts_decisions_continues_like_the_one_that_made_them(shared: Path) -> None:
    posts = [item.signal for item in labelled(shared, "event-tweets", 1_100)]
    one, other = matcher(), matcher()
    infos: dict[str, StoryInfo] = {}
    merged = late = 0
    for number, signal in enumerate(posts):
        made = one.decide(signal, signal.observed_ms)
        if number >= 900:
            assert other.decide(signal, signal.observed_ms) == made
            continue
        if made.created:
            infos[made.story] = one.story(made.story)
        merged += len(made.merged)
        late += len(made.features.late)
        kept = Assignment(made.story, "general", made.stage, msgspec.Raw(msgspec.json.encode(made.features)))
        other.adopt(infos[made.story], kept, signal.observed_ms)
    assert merged > late > 0
    assert len(one) == len(other)


FLOORS = {"news-stories": (0.83, 0.76), "event-tweets": (0.94, 0.88)}
"""F1 of the final stories and at arrival that the first 1500 posts of each recording must reach."""


@pytest.mark.parametrize("name", FLOORS)
def test_labelled_stories_are_matched_well_enough(shared: Path, name: str) -> None:
    result: Evaluation = evaluate(labelled(shared, name, 1_500), matcher())
    assert (result.final.f1, result.arrival.f1) >= FLOORS[name]
    assert result.arrival.f1 >= FLOORS[name][1]


def hostile() -> list[Signal]:
    """Return posts of spammers and broken clients, one title 1 000 times among them."""
    spam = [post(n, "WIN a FREE iPhone now, click here for your prize") for n in range(1_000)]
    huge = [post(1_000 + n, f"{word} " * 20_000) for n, word in enumerate(("buy", "Ω̈̈̈̈", "💥", "word2word"))]
    huge.append(post(1_010, "x" * 100_000))
    huge.append(post(1_011, "".join(random.Random(1).choices("абвгдежз אבגדה abc 漢字", k=100_000))))
    empty = [post(1_020 + n, title, text=text) for n, (title, text) in enumerate([(None, None), ("", ""), (" ", "\n")])]
    emoji = [post(1_030 + n, "🔥" * (n + 1)) for n in range(20)]
    marked = [post(1_060 + n, f"\u202e{QUAKE[n]}\u202c\u200b") for n in range(3)]
    split = [post(1_070 + n, "\u200b".join(QUAKE[n])) for n in range(3)]
    return [*spam, *huge, *empty, *emoji, *marked, *split]


def test_hostile_posts_end_in_sensible_stories() -> None:
    given = matcher()
    posts = hostile()
    stories = dict(zip((signal.id for signal in posts), final(decide(given, posts)), strict=True))
    assert len({stories[f"t:{n}"] for n in range(1_000)}) == 1
    assert stories["t:1060"] == stories["t:1070"]
    spam = stories["t:0"]
    assert all(story != spam for post, story in stories.items() if int(post[2:]) >= 1_000)
    no_words = [stories[f"t:{n}"] for n in range(1_020, 1_023)]
    assert len(set(no_words)) == 3
    assert all(len(given.story(story).slug) <= 80 and given.story(story).title for story in stories.values())


def test_a_row_of_hashtags_is_ignored_unless_the_post_has_nothing_else() -> None:
    filed = "#BigData #Analytics #DataScience #IoT"
    assert words(f"Spiking neural networks! {filed}") == ["spiking", "neural", "networks"]
    assert words("#Quillon #outage again") == ["quillon", "outage", "again"]
    assert words(filed)[:2] == ["bigdata", "analytics"]


def test_terms_without_weight_are_not_kept() -> None:
    ours = matcher()
    mute = [f"{digit}{chr(letter)}" for letter in range(0x3B1, 0x3C9) for digit in range(10)]
    for number in range(0, len(mute), 8):
        ours.decide(post(number, " ".join(mute[number : number + 8])), START_MS)
    later_ms = START_MS + 10_000 * HOUR_MS
    ours._index.advance(later_ms)
    ours.expire(later_ms)
    assert (len(ours), ours._index._terms) == (0, {})
