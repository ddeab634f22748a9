"""A generated world: the same seed gives the same world, to the last vote.

Owns how many stories and posts there are, how loud they get, and their ids. Must never know the wording (``words/``)
nor the wire format.

Stories begin in the first two thirds of the world, loud and quiet ones mixed. All times
are whole seconds, the resolution of the platforms.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from hubbub.world.chatter import openings
from hubbub.world.conversation import MINUTE_MS, Mood, converse, late_ms, remove, second
from hubbub.world.growth import Curve, Grown
from hubbub.world.items import Community, Item, Post, Reply, Story
from hubbub.world.ladder import rung
from hubbub.world.names import account, deal
from hubbub.world.native_ids import base36
from hubbub.world.past import faded_stories, recall
from hubbub.world.platform_side import PlatformSide
from hubbub.world.profiles import PROFILES
from hubbub.world.spread import Rumour, communities, spread
from hubbub.world.storyline import HACKERNEWS_TITLE, UNFOLDINGS, Loudness, Storyline
from hubbub.world.timeline import place
from hubbub.world.truth import loud
from hubbub.world.words import CHATTER, HOSTILE, NAMES, PLOTS
from hubbub.world.world import World

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is. The default, at 240 times real speed, lasts 90 s with about 30 new items per second.

    ``replies``: of the loudest story in total; those of the others form a geometric series. ``chatter``: other posts.
    ``votes``: a factor on the votes of the chatter; collectors poll posts with many votes more often. ``faded``:
    stories that were covered in the days before.
    """

    hours: float = 6.0
    stories: int = 12
    chatter: int = 400
    replies: int = 450
    votes: float = 1.0
    faded: int = 2


DEMO = Size()


def lasting(hours: float) -> Size:
    """Return the size of a world of so many hours that is as lively as the default one."""
    times = hours / DEMO.hours
    return replace(DEMO, hours=hours, stories=max(3, round(DEMO.stories * times)), chatter=round(DEMO.chatter * times))


LAST_ONSET = 0.66
"""Every story begins within this share of the world; those with several waves begin within half of it."""
GOLDEN = 0.618034
"""Steps of the golden ratio, modulo 1, spread any number of onsets evenly."""

REPLY_SHARE = 0.2
"""The largest share of a story's interactions that are replies. A reply counts double; the rest are votes."""
BOTH_PLATFORMS = 0.42
"""The share of stories, the loudest, that are on both platforms."""
REDDIT_SHARE = 0.6
"""The share of interactions on Reddit, of a story on both."""

PLACES: tuple[tuple[tuple[str, int], ...], ...] = (
    (("technology", 17_900_000), ("Futurology", 21_800_000), ("singularity", 3_600_000), ("artificial", 1_100_000)),
    (("artificial", 1_100_000), ("ArtificialInteligence", 1_400_000), ("OpenSourceAI", 210_000)),
    (("aiwars", 63_000), ("mlops", 41_000), ("LLMDevs", 28_000)),
    (("AIethics", 9_200), ("aiforbusiness", 4_100)),
)
"""Subreddits with their members, from those of the loudest quarter of stories to those of the quietest."""

HACKERNEWS_FROM = 44_000_000
REDDIT_POSTS_FROM, REDDIT_REPLIES_FROM = int("1k00000", 36), int("m000000", 36)
HOMES = ("reddit", "hackernews")
"""Where stories begin."""
PLATFORMS: Final = frozenset({*HOMES, *(profile.collector or name for name, profile in PROFILES.items())})
"""What there is a world of."""
NO_ITEM = 0.01
"""The share of Hacker News numbers without an item: the API answers null."""


def generate(seed: int, begins_ms: int, size: Size = DEMO, platforms: Collection[str] = PLATFORMS) -> World:
    """Return the world of ``seed``, which begins at ``begins_ms`` (UTC epoch ms, cut to whole seconds).

    ``platforms``: what collectors can read of it. The others do not exist in it, and leave the rest as it is.
    """
    begins_ms = second(begins_ms)
    ends_ms = begins_ms + int(size.hours * HOUR_MS)
    lines = list(_storylines(seed, begins_ms, ends_ms, size))
    begun = _begun(seed, lines, begins_ms, ends_ms, size)
    posts = [post for post in begun if post.platform in platforms]
    faded = faded_stories(seed, size.faded, lines, begins_ms)
    rumours = [Rumour(line, rung(rank, size.stories, size.replies)) for rank, line in enumerate(lines)]
    for platform, profile in PROFILES.items():
        if (profile.collector or platform) in platforms:
            side = PlatformSide(seed, platform, profile, begins_ms, ends_ms)
            recall(side, lines[0] if lines else None, faded)
            spread(side, rumours, size.chatter)
            posts += side.finish()
    by_story: dict[str | None, list[Post]] = defaultdict(list)
    for post in posts:
        by_story[post.story].append(post)
    stories = [
        Story(line.story, line.title, line.onset_ms, tuple(line.waves), tuple(by_story[line.story]))
        for line in (*lines, *faded)
    ]
    return World(posts, [*_communities(begins_ms), *communities(begins_ms)], stories, begins_ms, ends_ms)


def _begun(seed: int, lines: Iterable[Storyline], begins_ms: int, ends_ms: int, size: Size) -> list[Post]:
    """Return the posts on Reddit and Hacker News, where stories begin, with ids and replies."""
    posts = [post for line in lines for post in line.posts]
    replies = [reply for line in lines for reply in line.replies]
    for post, below in _chatter(random.Random(f"{seed}:chatter"), begins_ms, ends_ms, size):
        posts.append(post)
        replies += below
    replies = [reply for reply in replies if reply.created_ms < ends_ms]
    _number(random.Random(f"{seed}:numbers"), posts, replies)
    for reply in sorted(replies, key=place):
        reply.post.add(reply)
    return posts


def _storylines(seed: int, begins_ms: int, ends_ms: int, size: Size) -> Iterator[Storyline]:
    """Yield the stories, loudest first. Each has its own generator, so that a change to one leaves the others."""
    cast = random.Random(f"{seed}:cast")
    rounds = chain.from_iterable(cast.sample(PLOTS, len(PLOTS)) for _ in range(0, size.stories, len(PLOTS)))
    plots = list(islice(rounds, size.stories))
    plots.sort(key=lambda plot: plot.up_votes + cast.uniform(-0.04, 0.04))  # divisive plots get loud
    orgs, rivals = deal(cast, NAMES["orgs"]), deal(cast, NAMES["rivals"])
    products, places = deal(cast, NAMES["products"]), deal(cast, NAMES["places"])
    for rank, plot in enumerate(plots):
        rng = random.Random(f"{seed}:story:{rank}")
        step = rung(rank, size.stories, size.replies).step
        facts = {
            "org": next(orgs),
            "rival": next(rivals),
            "product": next(products),
            "place": next(places),
            "person": cast.choice(NAMES["people"]),
            "n": str(rng.randrange(12, 99) * 100),
        }
        part = LAST_ONSET * ((0.06 + rank * GOLDEN) % 1)
        onset_ms = second(begins_ms + part * size.hours * HOUR_MS + rng.uniform(0, 5) * MINUTE_MS)
        where = tuple(name for name, _ in PLACES[min(int(step * len(PLACES)), len(PLACES) - 1)])
        line = Storyline(rng, f"{plot.slug}-{rank + 1}", plot, facts, onset_ms, ends_ms, where)
        bursts = UNFOLDINGS[0] if part > LAST_ONSET / 2 else rng.choice(UNFOLDINGS[1:])
        line.play(bursts, _loudness(rng, rank, size))
        yield line


def _loudness(rng: random.Random, rank: int, size: Size) -> dict[str, Loudness]:
    """Return each platform's part of a story, where it begins."""
    _, step, wanted, posts, replies = rung(rank, size.stories, size.replies)
    shares: dict[str, float] = {"hackernews": 1.0} if rank % 3 == 2 else {"reddit": 1.0}
    if step < BOTH_PLATFORMS:
        both: list[tuple[str, float]] = [("reddit", REDDIT_SHARE), ("hackernews", 1 - REDDIT_SHARE)]
        shares = dict(rng.sample(both, 2))
    loudness: dict[str, Loudness] = {}
    for platform, share in shares.items():
        interactions = wanted * share * loud(platform)
        answers = round(min(replies * share, interactions * REPLY_SHARE))
        loudness[platform] = Loudness(max(1, round(posts * share)), round(interactions) - 2 * answers, answers)
    return loudness


def _chatter(rng: random.Random, begins_ms: int, ends_ms: int, size: Size) -> Iterator[tuple[Post, list[Reply]]]:
    """Yield posts that belong to no story, evenly spread in time, with the hostile texts among them."""
    count = size.chatter
    hostile = dict(zip(range(count // 20, count, max(1, count // len(HOSTILE))), HOSTILE, strict=False))
    for index, (corner, opening) in enumerate(islice(openings(rng), count)):
        platform: str = "reddit" if corner.community else "hackernews"
        title, text = hostile.get(index, (opening, ""))
        title = title if corner.community else title[:HACKERNEWS_TITLE]
        created_ms = second(begins_ms + (ends_ms - begins_ms) * (index + rng.random()) / count)
        curve = Curve(rng.uniform(40, 120) * MINUTE_MS)
        likes = round(size.votes * rng.lognormvariate(*((2.5, 1.3) if corner.community else (1.2, 1.0)))) + 1
        link = f"https://{rng.choice(NAMES['outlets'])}/{index:06d}" if rng.random() < 0.6 else None
        post = Post(
            platform=platform,
            native="",
            author=account(rng),
            title=title,
            text=text,
            url=None if text else link,
            community=corner.community,
            created_ms=created_ms,
            appears_ms=created_ms + late_ms(rng),
            votes=Grown(created_ms, likes, curve, round(rng.uniform(0.7, 0.99), 2) if corner.community else None),
        )
        if rng.random() < 0.03:
            remove(rng, post)
        yield post, converse(rng, post, min(25, int(rng.expovariate(0.6))), curve, Mood("OP", 0.3, 0.1))


def _number(rng: random.Random, posts: list[Post], replies: list[Reply]) -> None:
    """Give every item its platform's id, in order of creation, with gaps for items of other people."""
    everything: list[Item] = [*posts, *replies]
    everything.sort(key=lambda item: item.created_ms)
    hackernews, post_number, reply_number = HACKERNEWS_FROM, REDDIT_POSTS_FROM, REDDIT_REPLIES_FROM
    for item in everything:
        if item.platform == "hackernews":
            hackernews += 2 if rng.random() < NO_ITEM else 1
            item.native = str(hackernews)
        elif isinstance(item, Post):
            post_number += rng.randint(1, 400)
            item.native = f"t3_{base36(post_number)}"
        else:
            reply_number += rng.randint(1, 4000)
            item.native = f"t1_{base36(reply_number)}"


def _communities(begins_ms: int) -> list[Community]:
    members = {name: count for places in PLACES for name, count in places}
    members |= {corner.community: corner.members for corner in CHATTER if corner.community}
    return [Community(name, count, begins_ms - 3000 * DAY_MS) for name, count in members.items()]
