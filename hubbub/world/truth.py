"""The truth: what a generated world knows about its stories, for tests to hold the system against.

Owns the expected loudness, worked out from the world itself by a few lines that follow SCORING.md. Must never use the
system's own scoring: an oracle that shares the code shares its faults.
"""

from collections.abc import Iterable
from math import log10

import msgspec

from hubbub.world.items import AnyItem, Post, Story, root_of
from hubbub.world.words import ASIDES
from hubbub.world.world import World

_LOUD = {
    "reddit": 50_000,
    "hackernews": 3_000,
    "x": 200_000,
    "bluesky": 30_000,
    "mastodon": 10_000,
    "youtube": 200_000,
    "lemmy": 3_000,
    "news": 1_000,
}
_LOUD_ELSEWHERE = 10_000
VIEWS_PER_LIKE = 50
"""What an audience is guessed from where a platform states none."""
HOUR_MS = 3_600_000
HALF_LIFE_MS = 7 * 24 * HOUR_MS


class SpikeTruth(msgspec.Struct, frozen=True):
    """A sharp onset: from ``onset_ms`` on, a detector should fire.

    ``items_before``, ``items_after``: of the story, in the hour before the onset and in the hour from it on, so far.
    """

    onset_ms: int
    items_before: int
    items_after: int


class StoryTruth(msgspec.Struct, frozen=True):
    """What is true of a story at a time. ``posts`` are signal ids; ``loudness`` is the noise to expect, 0 to 100."""

    id: str
    title: str
    rank: int
    loudness: float
    onset_ms: int
    spikes: list[SpikeTruth]
    platforms: list[str]
    posts: list[str]
    items: int
    authors: int
    interactions: dict[str, int]


class Truth(msgspec.Struct, frozen=True):
    """Everything that has happened by ``at_ms``: the stories, loudest first. Other posts belong to no story."""

    at_ms: int
    posts: int
    replies: int
    stories: list[StoryTruth]


def loud(platform: str) -> int:
    """Return the interactions of a very loud story on a platform (SCORING.md: ``ref``)."""
    return _LOUD.get(platform, _LOUD_ELSEWHERE)


def truth(world: World, now_ms: int) -> Truth:
    """Return the truth about ``world`` at ``now_ms``."""
    begun = [story for story in world.stories if any(post.there(now_ms) for post in story.posts)]
    measured = sorted(((_loudness(world, story, now_ms), story) for story in begun), key=lambda pair: -pair[0])
    return Truth(
        at_ms=now_ms,
        posts=sum(world.posts(platform).until(now_ms) for platform in world.platforms),
        replies=sum(world.replies(platform).until(now_ms) for platform in world.platforms),
        stories=[_story(story, rank, loudness, now_ms) for rank, (loudness, story) in enumerate(measured, start=1)],
    )


def _story(story: Story, rank: int, loudness: float, now_ms: int) -> StoryTruth:
    posts = [post for post in story.posts if post.there(now_ms)]
    items = _items(posts, now_ms)
    platforms = sorted({post.platform for post in posts})
    times_ms = [item.created_ms for item in items]
    return StoryTruth(
        id=story.id,
        title=story.title,
        rank=rank,
        loudness=round(loudness, 2),
        onset_ms=min(story.onset_ms, *times_ms),
        spikes=[
            SpikeTruth(
                onset_ms=wave.start_ms,
                items_before=sum(1 for time_ms in times_ms if wave.start_ms - HOUR_MS <= time_ms < wave.start_ms),
                items_after=sum(1 for time_ms in times_ms if wave.start_ms <= time_ms < wave.start_ms + HOUR_MS),
            )
            for wave in story.waves
            if wave.sharp and wave.start_ms <= now_ms
        ],
        platforms=platforms,
        posts=[post.signal_id for post in posts],
        items=len(items),
        authors=len({(item.platform, item.author) for item in items}),
        interactions={p: sum(_interactions(post, now_ms) for post in posts if post.platform == p) for p in platforms},
    )


def _items(posts: Iterable[Post], now_ms: int) -> list[AnyItem]:
    """Return the posts, the replies to them and the reposts of them that have appeared."""
    items = [item for post in posts for item in (post, *post.thread, *(post.reposts or ()))]
    return [item for item in items if item.there(now_ms)]


def _interactions(post: Post, now_ms: int) -> int:
    totals = post.totals(now_ms)
    return (totals.likes or 0) + 2 * (totals.replies or 0) + 3 * (totals.shares or 0)


def _audience(world: World, items: Iterable[AnyItem], now_ms: int) -> float:
    """Return how many people may have seen the items: a community or an author counts once."""
    places: dict[str, float] = {}
    people: dict[tuple[str, str | None], float] = {}
    seen = 0.0
    for item in items:
        totals = item.totals(now_ms) if isinstance(item, Post) else item.votes.at(now_ms)
        community = root_of(item).community
        members = world.communities[community.lower()].members if community else None
        if totals.views is not None:
            seen += totals.views
        elif community and members is not None:
            places[community] = members * 0.02
        elif item.followers is not None:
            people[item.platform, item.author] = item.followers * 0.05
        elif isinstance(item, Post):
            seen += VIEWS_PER_LIKE * (totals.likes or 0)
    return seen + sum(places.values()) + sum(people.values())


def _run(times_ms: Iterable[int]) -> tuple[int, int]:
    """Return the first and the last time of the latest coverage without a gap of over 24 hours."""
    first, *later = sorted(times_ms)
    last = first
    for time_ms in later:
        if time_ms - last > 24 * HOUR_MS:
            first = time_ms
        last = time_ms
    return first, last


def _star_power(posts: Iterable[Post]) -> float:
    """Return the points of the public figures that are named, at most 100."""
    words = " ".join(f"{post.title} {post.text}" for post in posts)
    return min(100, sum(figure.points for figure in (*ASIDES.figure, *ASIDES.in_headlines) if figure.name in words))


def _loudness(world: World, story: Story, now_ms: int) -> float:
    """Return the composite of SCORING.md; industry impact is 50: the world does not set it."""
    posts = [post for post in story.posts if post.there(now_ms)]
    items = _items(posts, now_ms)
    platforms = {post.platform for post in posts}
    engaged = sum(_interactions(post, now_ms) / loud(post.platform) for post in posts)
    begun_ms, last_ms = _run(item.created_ms for item in items)
    hours = (last_ms - begun_ms) / HOUR_MS
    weight, divided = 20.0, 10.0
    for post in posts:
        totals = post.totals(now_ms)
        if totals.like_ratio is not None:
            sure = min(10, 2 * log10(1 + (totals.likes or 0)))
            weight += sure
            divided += sure * (1 - abs(2 * totals.like_ratio - 1))
        moods = [reply.mood for reply in post.thread if reply.there(now_ms) and reply.mood]
        if moods:
            fewer = min(moods.count(1), moods.count(-1))
            heard = 0.5 * min(len(moods), 200)
            weight += heard
            divided += heard * 2 * fewer / len(moods)
    raw = (
        0.20 * 100 * min(1, log10(1 + _audience(world, items, now_ms)) / 8)
        + 0.20 * 100 * min(1, log10(1 + 10_000 * engaged) / 4)
        + 0.15 * _star_power(posts)
        + 0.15 * min(100, 20 * len(platforms))
        + 0.10 * 100 * min(1, hours / 72)
        + 0.10 * 100 * divided / weight
        + 0.10 * 50
    )
    return float(raw * 0.5 ** ((now_ms - last_ms) / HALF_LIFE_MS))
