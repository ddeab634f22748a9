"""Evidence depends on who says it and where, on links in texts, on series and papers; the reason is kept."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from hubbub.evaluate.pairs.evaluation import read_posts
from hubbub.evaluate.stories.evaluation import gather
from ingest.signal import Signal
from streams.records.stories import Assignment
from streams.resolve.matching.features import read
from streams.resolve.matching.matcher import MatchStage
from streams.resolve.matching.series import series_of
from tests.streams.resolve.matching.posts import HOUR_MS, START_MS, decide, final, matcher, post


def stories(posts: list[Signal]) -> list[str]:
    """Return the story of each post after all merges, of a new matcher."""
    return final(decide(matcher(), posts))


WORKFLOWS = ("Zarnik workflow for quillon upscaling", "My zarnik workflow with quillon nodes")
"""Two titles that share words which are rare in general."""
SUBJECTS = ("portraits", "trains", "kittens", "cars", "robots", "castles", "gardens", "dragons", "boats", "clouds")


@pytest.mark.parametrize(("source", "posts"), [("author", 40), ("community", 1_000)])
def test_what_a_source_says_anyway_joins_nothing(source: str, posts: int) -> None:
    def after(name: str) -> list[str]:
        history = [
            post(n, f"{SUBJECTS[n % 10]} zarnik workflow quillon {n}", hours=100 * n / posts, **{source: name})
            for n in range(posts)
        ]
        two = [post(2_000 + n, title, hours=150 + n, **{source: "one"}) for n, title in enumerate(WORKFLOWS)]
        return stories([*history, *two])[-2:]

    assert len(set(after("one"))) == 2
    assert len(set(after("another"))) == 1, "of another source, the words are as rare as in general"


def test_a_link_in_the_text_joins_only_what_is_alike() -> None:
    tool = "https://code.example/zarnik/tool"
    first = post(0, "Zarnik tool now splits long recordings by speaker", text=f"Get it at {tool} today")
    alike = post(1, "The zarnik tool splits recordings by speaker", text=f"{tool} is what I use")
    other = post(2, "Which kettle should I buy for a small kitchen?", text=f"Unlike {tool} it must not whistle")
    given = matcher()
    decisions = decide(given, [first, alike, other])
    assert decisions[1].story == decisions[0].story
    assert decisions[2].created


def test_a_page_that_two_posts_share_as_their_own_decides_alone() -> None:
    page = "https://news.example/ferry"
    decisions = decide(matcher(), [post(0, "Ferry runs aground", url=page), post(1, "Oh dear me", url=page)])
    assert (decisions[1].story, decisions[1].stage) == (decisions[0].story, MatchStage.URL)
    assert decisions[1].features.because == ("news.example/ferry",)


@pytest.mark.parametrize("gone", ["[ Removed by moderator ]", "[deleted by user]", "[removed]"])
def test_removed_posts_join_nothing(gone: str) -> None:
    removed = [post(n, gone, text="[removed]", community=f"place{n}") for n in range(6)]
    assert len(set(stories(removed))) == 6
    assert read(removed[0], 400).words == ()


def test_the_items_of_a_series_are_no_story_but_may_join_others() -> None:
    daily = [post(n, f"Zarnik briefing for gardeners {n + 1}/10/2026", hours=5 * n, author="digest") for n in range(4)]
    assert len(set(stories(daily))) == 4
    reply = post(50, "Zarnik briefing for gardeners: what is in it on 4/10/2026", hours=16, author="reader")
    found = stories([*daily, reply])
    assert found[4] == found[3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Welcome to January 14, 2026 - Ada", "Welcome to December 26, 2025 - Ada"),
        ("RAG papers 26.1.7", "RAG papers 26.1.12"),
        ("Status update: Tue, 06 Jan 2026 00:29:38 +0000", "Status update: Fri, 09 Jan 2026 19:41:48 +0000"),
        ("Build log, part 3", "Build log, part 12"),
        ("Monday motivation thread", "Friday motivation thread"),
    ],
)
def test_series_are_recognised_by_what_changes(one: str, other: str) -> None:
    assert series_of(one) == series_of(other) != ""


@pytest.mark.parametrize(
    "title",
    [
        "Death toll rises to 45",
        "GPT-5 is out",
        "Day 3",
        "Ferry runs aground",
        "Magnitude 6.5 quake",
        "Arsenal 2-1 Chelsea",
    ],
)
def test_other_titles_are_in_no_series(title: str) -> None:
    assert series_of(title) == ""


def test_papers_of_one_field_stay_apart() -> None:
    titles = ("Lesion segmentation of stroke in brain scans", "Stroke lesions in scans: a survey of segmentation")
    papers = [post(n, title, url=f"https://arxiv.org/abs/2601.0000{n}") for n, title in enumerate(titles)]
    reports = [post(n, title, url=f"https://news.example/{n}") for n, title in enumerate(titles)]
    assert len(set(stories(papers))) == 2
    assert len(set(stories(reports))) == 1


def test_the_reason_of_a_join_is_kept_in_words() -> None:
    titles = ("Quillon ledger outage stops payrolls in Norway", "Payrolls stop after the ledger outage at Quillon")
    first, second = decide(matcher(), [post(n, title) for n, title in enumerate(titles)])
    assert second.story == first.story
    assert second.stage is MatchStage.SIMILAR
    assert first.features.because == ()
    assert {"quillon", "ledger", "payrolls"} <= set(second.features.because)


def test_what_sources_say_is_the_same_after_a_restart() -> None:
    posts = [
        post(n, f"Zarnik workflow {SUBJECTS[n % 10]} {n}", hours=2 * n, author=f"a{n % 3}", community=f"c{n % 2}")
        for n in range(120)
    ]
    whole = matcher()
    before = decide(whole, posts[:80])
    again = matcher()
    for signal, decision in zip(posts, before, strict=False):
        features = msgspec.Raw(msgspec.json.encode(decision.features))
        info = whole.story(decision.story) if decision.story in whole else None
        if info is not None:
            again.adopt(info, Assignment(decision.story, "general", decision.stage, features), signal.observed_ms)
    after = decide(whole, posts[80:])
    assert [d.features for d in decide(again, posts[80:])] == [d.features for d in after]


def test_a_link_that_an_expired_story_had_first_is_still_found() -> None:
    tool = "https://code.example/zarnik/tool"
    given = matcher()
    first = given.decide(post(0, "Is there an alternative to kettles?", text=f"Unlike {tool}"), START_MS)
    one = post(1, "Zarnik tool splits recordings", hours=100, url=tool)
    founded = given.decide(one, one.observed_ms)
    assert founded.created, "the text of another post mentions the page, which decides nothing"
    assert given.expire(START_MS + 8 * 24 * HOUR_MS) == [first.story]
    other = post(2, "Look", hours=200, url=tool)
    assert given.decide(other, other.observed_ms).story == founded.story


def test_a_word_of_a_pruned_story_breaks_nothing() -> None:
    page = "https://news.example/page"
    given = matcher()
    letters = random.Random(1)
    strange = ["".join(letters.choices("bcdfghklmnprstvz", k=7)) for _ in range(4_000)]
    titles = [" ".join(strange[n * 40 : n * 40 + 40]) for n in range(100)]
    decide(given, [post(2 * n + twice, title, url=page) for n, title in enumerate(titles) for twice in range(2)])
    unknown = ["".join(letters.choices("bcdfghklmnprstvz", k=7)) for _ in range(5)]
    decide(given, [post(2_000 + n, f"{' '.join(unknown)} {n}", url=page) for n in range(20)])
    assert given.decide(post(2_050, " ".join(unknown)), START_MS + 35 * HOUR_MS).created


def test_an_item_posted_in_two_communities_is_one_story() -> None:
    items = [
        post(
            n, "Zarnik briefing for gardeners 4/10/2026", author="digest", community=f"c{n}", url="https://d.example/4"
        )
        for n in range(2)
    ]
    assert len(set(stories(items))) == 1


def test_a_name_of_any_length_is_bounded() -> None:
    features = read(post(0, "Ferry runs aground", author="é" * 10_000, community="c" * 10_000), 400)
    assert len(features.author) < 150
    assert len(features.community) < 150
    assert features.author != read(post(0, "Ferry", author="é" * 9_999), 400).author


def test_on_an_odd_day_removed_posts_and_a_series_stay_apart_and_the_genuine_story_is_whole(shared: Path) -> None:
    posts = read_posts(shared / "recordings" / "odd-day.ndjson.gz")
    found = gather(posts.values(), matcher()).final
    groups: dict[str, set[str]] = {}
    for id_, story in found.items():
        groups.setdefault(id_.partition(":")[2][0], set()).add(story)
    removed = [story for id_, story in found.items() if id_.partition(":")[2][0] in "mqr"]
    assert len(removed) == len(set(removed)) > 12
    (genuine,) = groups["g"]
    assert sum(story == genuine for story in found.values()) == sum(id_.partition(":")[2][0] == "g" for id_ in found)
    assert len(groups["d"]) == sum(id_.partition(":")[2][0] == "d" for id_ in found)
