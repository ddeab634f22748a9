"""The truth: what a generated world knows about its stories, for tests to hold the system against.

Owns the expected loudness, worked out from the world itself by a few lines that follow SCORING.md. Must never use the
system's own scoring: an oracle that shares the code shares its faults.
"""

from math import log10

import msgspec

from hubbub.world.items import Platform, Post, Story
from hubbub.world.world import World

LOUD: dict[Platform, int] = {"reddit": 50_000, "hackernews": 3_000}
"""Interactions of a very loud story, by platform (SCORING.md: ``ref``)."""
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
    platforms: list[Platform]
    posts: list[str]
    items: int
    authors: int
    interactions: dict[Platform, int]


class Truth(msgspec.Struct, frozen=True):
    """Everything that has happened by ``at_ms``: the stories, loudest first. Other posts belong to no story."""

    at_ms: int
    posts: int
    replies: int
    stories: list[StoryTruth]


def truth(world: World, now_ms: int) -> Truth:
    """Return the truth about ``world`` at ``now_ms``."""
    begun = [story for story in world.stories if any(post.there(now_ms) for post in story.posts)]
    measured = sorted(((_loudness(world, story, now_ms), story) for story in begun), key=lambda pair: -pair[0])
    return Truth(
        at_ms=now_ms,
        posts=sum(world.posts(platform).until(now_ms) for platform in LOUD),
        replies=sum(world.replies(platform).until(now_ms) for platform in LOUD),
        stories=[_story(story, rank, loudness, now_ms) for rank, (loudness, story) in enumerate(measured, start=1)],
    )


def _story(story: Story, rank: int, loudness: float, now_ms: int) -> StoryTruth:
    posts = [post for post in story.posts if post.there(now_ms)]
    replies = [reply for post in posts for reply in post.thread if reply.there(now_ms)]
    platforms = sorted({post.platform for post in posts})
    times_ms = [item.created_ms for item in (*posts, *replies)]
    return StoryTruth(
        id=story.id,
        title=story.title,
        rank=rank,
        loudness=round(loudness, 2),
        onset_ms=story.onset_ms,
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
        items=len(posts) + len(replies),
        authors=len({(item.platform, item.author) for item in (*posts, *replies)}),
        interactions={p: sum(_interactions(post, now_ms) for post in posts if post.platform == p) for p in platforms},
    )


def _interactions(post: Post, now_ms: int) -> int:
    totals = post.totals(now_ms)
    return (totals.likes or 0) + 2 * (totals.replies or 0)


def _loudness(world: World, story: Story, now_ms: int) -> float:
    """Return the composite of SCORING.md; star power is 0 and industry impact 50: the world sets neither."""
    posts = [post for post in story.posts if post.there(now_ms)]
    replies = [reply for post in posts for reply in post.thread if reply.there(now_ms)]
    platforms = {post.platform for post in posts}
    places = {post.community.lower() for post in posts if post.community}
    audience = sum((world.communities[place].members or 0) * 0.02 for place in places)
    audience += sum(VIEWS_PER_LIKE * (post.totals(now_ms).likes or 0) for post in posts if not post.community)
    loud = sum(_interactions(post, now_ms) / LOUD[post.platform] for post in posts)
    last_ms = max(item.created_ms for item in (*posts, *replies))
    hours = (last_ms - min(post.created_ms for post in posts)) / HOUR_MS
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
        0.20 * 100 * min(1, log10(1 + audience) / 8)
        + 0.20 * 100 * min(1, log10(1 + 10_000 * loud) / 4)
        + 0.15 * min(100, 20 * len(platforms))
        + 0.10 * 100 * min(1, hours / 72)
        + 0.10 * 100 * divided / weight
        + 0.10 * 50
    )
    return float(raw * 0.5 ** ((now_ms - last_ms) / HALF_LIFE_MS))
