"""Conversation: the replies to a post of a generated world.

Owns which reply answers what and when, what it says, and which items are shown late, deleted or removed. Must never
know what the post is about beyond its mood.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from hubbub.world.growth import Curve, Grown
from hubbub.world.items import Item, Post, Removal, Reply
from hubbub.world.names import account
from hubbub.world.words import REMARKS

MINUTE_MS = 60_000
LATE = 0.03
"""The share of items that a platform shows only after seconds or minutes, because of a queue or a filter."""
REMOVED = 0.02
"""The share of replies that are deleted by their authors or removed."""
HOSTILE_SHARE = 0.004
"""The share of replies that are hostile texts."""
_KINDS = {1: "praise", -1: "blame", 0: "neither"}


@dataclass(frozen=True, slots=True)
class Mood:
    """Whom replies are about, and the shares of them that praise and condemn."""

    about: str
    praise: float
    blame: float


def converse(
    rng: random.Random,
    post: Post,
    count: int,
    curve: Curve,
    mood: Mood,
    *,
    name: Callable[[random.Random], str] = account,
) -> list[Reply]:
    """Return ``count`` replies whose times follow ``curve`` after the post is shown, in order of creation.

    ``name`` draws the names of their authors.
    """
    accounts = [name(rng) for _ in range(max(1, count * 7 // 10))]
    replies: list[Reply] = []
    for age_ms in sorted(curve.age_ms(rng.random()) for _ in range(count)):
        created_ms = second(post.appears_ms + 1000 + age_ms)
        earlier = [reply for reply in replies[-15:] if reply.appears_ms <= created_ms]
        text, felt = _remark(rng, mood)
        reply = Reply(
            platform=post.platform,
            native="",
            author=post.author if rng.random() < 0.05 else rng.choice(accounts),
            text=text,
            created_ms=created_ms,
            appears_ms=created_ms + late_ms(rng),
            votes=Grown(created_ms, round(rng.expovariate(0.2) - rng.random() * 4), Curve(40 * MINUTE_MS)),
            post=post,
            parent=rng.choice(earlier) if earlier and rng.random() < 0.55 else post,
            mood=felt,
        )
        if rng.random() < REMOVED:
            remove(rng, reply)
        replies.append(reply)
    return replies


def _remark(rng: random.Random, mood: Mood) -> tuple[str, int]:
    """Return a reply's text, and its own mood: 1 for praise, -1 for blame, else 0."""
    draw = rng.random()
    if draw < HOSTILE_SHARE:
        return rng.choice(REMARKS["hostile"]), 0
    felt = 1 if draw < mood.praise else -1 if draw < mood.praise + mood.blame else 0
    return rng.choice(REMARKS[_KINDS[felt]]).format(about=mood.about) + rng.choice(REMARKS["endings"]), felt


def late_ms(rng: random.Random) -> int:
    """Return the delay before an item is shown, in ms: mostly 0."""
    return rng.randint(20, 240) * 1000 if rng.random() < LATE else 0


def remove(rng: random.Random, item: Item) -> None:
    """Mark the item as deleted or removed within an hour of its appearance."""
    item.gone_ms = item.appears_ms + rng.randint(60, 3600) * 1000
    item.removal = rng.choice((Removal.DELETED, Removal.REMOVED))


def second(time_ms: float) -> int:
    """Return the time cut to whole seconds, the resolution of the platforms."""
    return int(time_ms) // 1000 * 1000
