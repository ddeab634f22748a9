"""A generated world is the same for the same seed, readable at the speed of the demo, and has all its oddities."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from string import Formatter

import pytest

from hubbub.world import Size, World, generate, truth
from hubbub.world.generated import HOMES, PLATFORMS
from hubbub.world.items import Item, Post
from hubbub.world.profiles import PROFILES
from hubbub.world.words import ASIDES, CHATTER, PLOTS
from ingest.signal import Signal
from scoring.band import BANDS, band
from scoring.figures import FigureIndex
from scoring.settings import DEFAULT
from streams.resolve.matching.beats import load_beat

BEGINS_MS = 1_760_000_000_000
SEEDS = range(1, 6)
HOUR_MS = 3_600_000
SPEED = 240
"""How fast the demo plays a world."""


@cache
def world_of(seed: int) -> World:
    return generate(seed, BEGINS_MS)


@cache
def begun_of(seed: int) -> World:
    """Return a world in which stories stay where they begin."""
    return generate(seed, BEGINS_MS, platforms=HOMES)


def everything(world: World, platforms: Iterable[str] = HOMES) -> list[Item]:
    kinds = (world.posts, world.replies, world.reposts)
    return [item for kind in kinds for platform in platforms for item in kind(platform).items]


def fingerprint(world: World) -> str:
    digest = hashlib.sha256()
    for item in everything(world):
        digest.update(repr((item.signal_id, item.author, item.text, item.created_ms, item.appears_ms)).encode())
        votes = tuple(item.votes.at(world.ends_ms)[:3])
        digest.update(repr((item.gone_ms, votes, getattr(item, "title", ""), getattr(item, "url", ""))).encode())
    return digest.hexdigest()


def test_a_seed_gives_the_same_world() -> None:
    assert fingerprint(generate(7, BEGINS_MS)) == fingerprint(generate(7, BEGINS_MS))
    assert fingerprint(generate(7, BEGINS_MS)) != fingerprint(generate(8, BEGINS_MS))


def test_a_seed_gives_the_same_world_in_every_version() -> None:
    """Words are drawn by their position in the files of ``words/``: an added word changes every world."""
    assert fingerprint(generate(7, BEGINS_MS)) == "8de86fc23fcf4bb7ca321c928090b00042cebd938c01160a96a672ceb6e8cef6"


@pytest.mark.parametrize("seed", SEEDS)
def test_items_come_in_an_order_that_platforms_could_have_seen(seed: int) -> None:
    world = world_of(seed)
    items = everything(world, world.platforms)
    assert len({item.signal_id for item in items}) == len(items) == len(world)
    for item in items:
        assert item.created_ms <= item.appears_ms
        assert item.created_ms >= (BEGINS_MS if item.platform in HOMES else BEGINS_MS - 130 * HOUR_MS)
        assert item.created_ms % 1000 == item.appears_ms % 1000 == 0
        assert item.created_ms < world.ends_ms
        assert item.gone_ms is None or item.gone_ms > item.appears_ms
        assert world.find(item.signal_id) is item
    for post in (post for platform in world.platforms for post in world.posts(platform).items):
        if post.platform == "hackernews":
            assert len(post.title) <= 80
        elif post.platform == "reddit":
            assert post.community is not None
            assert post.community.lower() in world.communities
            assert len(post.title) <= 300
            assert len(post.text) <= 40_000
        for reply in post.thread:
            assert reply.parent.appears_ms <= reply.created_ms
            assert reply in reply.parent.replies
    numbered = sorted(
        (item for item in items if item.platform == "hackernews"), key=lambda item: (item.created_ms, int(item.native))
    )
    numbers = [int(item.native) for item in numbered]
    assert numbers == sorted(numbers)
    assert 0 < numbers[-1] - numbers[0] + 1 - len(numbers) < len(numbers) * 0.05, "a few numbers stand for nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_collectors_can_keep_up_at_the_demos_speed(seed: int) -> None:
    world = world_of(seed)
    for platform in world.platforms:
        busy = Counter(item.appears_ms // (SPEED * 1000) for item in everything(world, [platform]))
        most = {"reddit": 60, "hackernews": 40}.get(platform, 30)
        assert max(busy.values()) <= most, f"{platform}: {max(busy.values())} items in a real second"
    assert 2000 < len(begun_of(seed)) < len(world) < 8000


@pytest.mark.parametrize("seed", SEEDS)
def test_stories_are_well_apart_on_one_platform_or_both(seed: int) -> None:
    world = begun_of(seed)
    stories = truth(world, world.ends_ms).stories
    assert [story.rank for story in stories] == list(range(1, 13))
    loudness = [story.loudness for story in stories]
    assert loudness == sorted(loudness, reverse=True)
    assert loudness[0] - loudness[-1] > 20
    rungs = [int(story.id.rpartition("-")[2]) for story in stories]
    distance = sum((rung - rank) ** 2 for rank, rung in enumerate(rungs, start=1))
    assert 1 - 6 * distance / (12 * 143) > 0.9, "the ladder of interactions decides the ranking"
    platforms = Counter(tuple(story.platforms) for story in stories)
    assert set(platforms) == {("reddit",), ("hackernews",), ("hackernews", "reddit")}
    early = truth(world, BEGINS_MS + 30 * SPEED * 1000)
    assert len(early.stories) >= 3, "something is there to be seen after 30 s of the demo"
    assert len({story.id for story in stories}) == 12


def test_posts_of_a_story_share_its_names_and_vary_like_real_ones(world: World) -> None:
    links: list[str] = []
    for story in world.stories:
        if not (begun := [post for post in story.posts if post.platform in HOMES]):
            continue
        assert min(post.created_ms for post in begun) == story.onset_ms == story.waves[0].start_ms
        assert sum(wave.posts for wave in story.waves) == len(begun)
        links += [post.url for post in story.posts if post.url]
    posts = [post for story in world.stories for post in story.posts]
    assert any(post.crosspost_of for post in posts)
    assert any(post.gone_ms for post in posts)
    assert any("utm_" in link for link in links)
    shared = [
        {post.url.partition("?")[0] for post in story.posts if post.url and post.platform == platform}
        for story in world.stories[:4]
        for platform in ("reddit", "hackernews")
    ]
    outlets = [
        {link.split("/")[2].removeprefix("www.").removeprefix("m.").removeprefix("amp.") for link in side}
        for side in shared
    ]
    assert all(outlets[pair] & outlets[pair + 1] for pair in range(0, len(outlets), 2)), (
        "both platforms link to the same"
    )
    assert len({post.title for post in posts}) < len(posts), "some repeat a title word for word"


def test_the_odd_and_the_hostile_are_there(world: World) -> None:
    items = everything(world)
    titles = " ".join(item.title for item in items if isinstance(item, Post))
    assert all(part in titles for part in ("<script>", "\u202e", "\u200b", "\U0001f525", "A" * 80, "\ud83d"))
    assert any(item.appears_ms > item.created_ms for item in items)
    assert {item.removal for item in items} >= {"deleted", "removed"}
    chatter = [post for post in world.posts("reddit").items if post.story is None]
    assert len({post.title for post in chatter}) == len(chatter)


def test_the_default_beat_takes_in_every_story_whole(world: World) -> None:
    beat = load_beat("ai")
    for story in world.stories:
        for post in story.posts:
            signal = Signal(
                id=post.signal_id,
                kind="post",
                platform=post.platform,
                thread=post.signal_id,
                title=post.title,
                text=post.text,
                created_ms=post.created_ms,
                observed_ms=post.appears_ms,
            )
            assert beat.relevant(signal), post.title


@pytest.mark.parametrize("seed", SEEDS)
def test_a_story_spreads_to_other_platforms_later(seed: int) -> None:
    world = world_of(seed)
    for story in world.stories:
        for platform, profile in PROFILES.items():
            there = [post.created_ms for post in story.posts if post.platform == platform]
            later = [time_ms for time_ms in there if time_ms >= story.onset_ms]
            assert not later or min(later) >= story.onset_ms + profile.delay_min[0] * 60_000
            assert len(later) == len(there) or profile.past
    spread = [len({post.platform for post in story.posts}) for story in world.stories]
    assert spread[0] >= 6
    assert 1 in spread, "not every story leaves the platform on which it began"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_band_is_there_at_the_end(seed: int) -> None:
    world = world_of(seed)
    assert {band(story.loudness) for story in truth(world, world.ends_ms).stories} == set(BANDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loudest_story_is_long_enough_a_major_controversy(seed: int) -> None:
    world = world_of(seed)
    loudest = world.stories[0].id
    for hours in (1.5, 6):
        stories = truth(world, BEGINS_MS + int(hours * HOUR_MS)).stories
        assert next(story.loudness for story in stories if story.id == loudest) >= 77


def test_faded_stories_were_covered_last_more_than_three_days_ago() -> None:
    world = world_of(1)
    faded = [story for story in world.stories if "-faded-" in story.id]
    assert len(faded) == 2
    for story in faded:
        assert {post.platform for post in story.posts} == {"news"}
        assert max(item.created_ms for post in story.posts for item in (post, *post.thread)) < BEGINS_MS - 72 * HOUR_MS


def test_the_public_figures_are_those_that_scoring_knows() -> None:
    index = FigureIndex.default()
    for figure in (*ASIDES.figure, *ASIDES.in_headlines):
        for aside in ASIDES.asides:
            found = index.find(f"A headline on AI.\n{aside.format(figure=figure.name)}")
            assert [DEFAULT.tier_points[index.tiers[one]] for one in found] == [figure.points], figure.name


def test_a_platform_says_the_same_whichever_others_there_are() -> None:
    alone = generate(7, BEGINS_MS, platforms=["mastodon"])
    assert alone.platforms == ["mastodon"]
    items = everything(generate(7, BEGINS_MS), ["mastodon"])
    assert [item.signal_id for item in items] == [item.signal_id for item in everything(alone, ["mastodon"])]


def test_every_platform_has_items_in_its_form() -> None:
    world = world_of(1)
    assert {*HOMES, *PROFILES} == set(world.platforms)
    assert {profile.collector or name for name, profile in PROFILES.items()} <= PLATFORMS
    for platform, profile in PROFILES.items():
        for post in world.posts(platform).items:
            assert bool(post.title) == bool(profile.title_chars)
            assert len(post.title) <= profile.title_chars
            assert len(post.text) <= profile.text_chars
            assert (post.totals(world.ends_ms).likes is None) is not profile.likes
        assert bool(world.replies(platform)) == bool(profile.replies)
        assert bool(world.reposts(platform)) == bool(profile.reposts)


def test_a_larger_world_keeps_every_story_apart_by_name() -> None:
    world = generate(3, BEGINS_MS, Size(hours=24, stories=40, chatter=2000, replies=2000))
    assert len({story.id for story in world.stories}) == 42
    assert len({story.title for story in world.stories}) == 42
    assert world.ends_ms - world.begins_ms == 24 * HOUR_MS
    assert len(world) > 10_000


def test_every_wording_can_be_filled() -> None:
    slots = {"org", "rival", "person", "product", "place", "n"}
    for plot in PLOTS:
        assert len(plot.headlines) >= 8
        for headline in plot.headlines:
            used = {name for _, name, _, _ in Formatter().parse(headline) if name}
            assert used <= slots
            assert used, f"nothing names the story in {headline!r}"
    for corner in CHATTER:
        for template in corner.templates:
            assert template.format(corner.first[0], corner.second[0])
