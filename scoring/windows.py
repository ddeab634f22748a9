"""Windows: what a story has in the last 5 minutes, hour, day, and in its life.

Owns the summing of spans into windows, and the estimates that a large story takes their place with. Must never know
what a window is used for.

A window holds the items *covered* in it, with their latest counts: interactions are those of its items, whenever they
came. What an item gained in the window depends on how often it was looked at, so it is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from scoring.crowd import Crowd
from scoring.item import AUTHOR, COMMUNITY, VIEWS
from scoring.ledger import Ledger
from scoring.settings import DAY_MS, DEFAULT, HOUR_MS, MINUTE_MS, Settings
from scoring.tally import NOTHING, Census, Tally

__all__ = ["Audience", "PlatformTally", "Window", "crowd_windows", "life", "windows"]

_NAMES = ("5m", "1h", "24h", "life")
_LENGTHS_MS = (5 * MINUTE_MS, HOUR_MS, DAY_MS)


class PlatformTally(msgspec.Struct, frozen=True, gc=False):
    """What a story has on one platform."""

    items: int
    interactions: int


class Window(msgspec.Struct, frozen=True):
    """The items covered in a span of time that ends at the time of scoring, with their latest counts.

    ``authors``: distinct ones, where known; ``audience``: estimated, in people.
    """

    items: int
    authors: int
    audience: int
    interactions: int
    platforms: dict[str, PlatformTally]


class Audience(msgspec.Struct, frozen=True):
    """The audience by where it is known from: people who viewed, are members, follow; and likes, by platform."""

    views: int
    members: int
    followers: int
    likes: dict[str, int]

    def estimate(self, settings: Settings = DEFAULT) -> float:
        """Return A, in people.

        >>> Audience(views=1000, members=50_000, followers=2_000, likes={"reddit": 10}).estimate()
        2600.0
        """
        rates, other = settings.views_per_like, settings.other_views_per_like
        return (
            self.views
            + settings.views_per_member * self.members
            + settings.views_per_follower * self.followers
            + sum(rates.get(platform, other) * likes for platform, likes in sorted(self.likes.items()))
        )


def windows(census: Census, names: Sequence[str], settings: Settings = DEFAULT) -> tuple[dict[str, Window], Audience]:
    """Return the windows by name, and the audience of the story's life; ``names``: of the platforms, by index."""
    so_far = Tally()
    found: dict[str, Window] = {}
    for name, span in zip(_NAMES, census.spans, strict=True):
        if span.items or not found:
            so_far = so_far.plus(span)
            audience = _audience(so_far, names)
            window = _window(so_far, audience, names, settings)
        found[name] = window
    return found, audience


def life(census: Census, names: Sequence[str]) -> tuple[Audience, dict[str, int]]:
    """Return of all of a story's life what :func:`windows` does: the audience, and the interactions by platform."""
    so_far = NOTHING
    for span in census.spans:
        if span.items:
            so_far = so_far.plus(span)
    return _audience(so_far, names), {names[platform]: round(acts) for platform, acts in so_far.interactions.items()}


def crowd_windows(
    census: Census, crowd: Crowd, ledger: Ledger, t_ms: int, settings: Settings = DEFAULT
) -> tuple[dict[str, Window], Audience]:
    """Return the same of a large story, of whose sample ``census`` was taken, as estimates.

    Items and authors, the replies seen and the audience of the story's life come from sketches, interactions from the
    sample, with the errors stated where those are made. The audience of a shorter window, and its items by platform,
    are those of the sample: rough.
    """
    _fill_up(census, crowd, settings)
    names = ledger.platforms
    found, _ = windows(census, names, settings)
    # What is in the sample is not what the windows count, so neither is when they lose it.
    census.hour_begins_ms = crowd.rings[1].leaves_ms(t_ms - HOUR_MS)
    for (name, window), length_ms, ring in zip(tuple(found.items()), _LENGTHS_MS, crowd.rings, strict=False):
        items, authors = ring.since(t_ms - length_ms)
        found[name] = msgspec.structs.replace(window, items=round(items), authors=round(authors))
    audience = _crowd_audience(crowd, names)
    found["life"] = msgspec.structs.replace(
        found["life"], authors=round(crowd.authors.estimate()), audience=round(audience.estimate(settings))
    )
    return found, audience


def _fill_up(census: Census, crowd: Crowd, settings: Settings) -> None:
    """Put what the crowd counted, past what the sample tells, into the oldest span: it ends up in the story's life."""
    if census.spans[-1] is NOTHING:
        census.spans[-1] = Tally()
    older = census.spans[-1]
    for platform, (items, replies) in crowd.platforms.items():
        sampled = sum(span.items.get(platform, 0.0) for span in census.spans)
        told = sum(span.told.get(platform, 0.0) for span in census.spans)
        unseen = max(0.0, replies.estimate() - told)
        older.items[platform] = older.items.get(platform, 0.0) + items.estimate() - sampled
        older.interactions[platform] = older.interactions.get(platform, 0.0) + settings.interactions_per_reply * unseen
    census.posted = crowd.posted
    census.positive, census.negative = round(crowd.positive.estimate()), round(crowd.negative.estimate())


def _window(counted: Tally, audience: Audience, names: Sequence[str], settings: Settings) -> Window:
    items = interactions = 0
    platforms: dict[str, PlatformTally] = {}
    for platform, count in counted.items.items():
        there, acts = round(count), round(counted.interactions[platform])
        platforms[names[platform]] = PlatformTally(there, acts)
        items += there
        interactions += acts
    return Window(items, len(counted.authors), round(audience.estimate(settings)), interactions, platforms)


def _audience(counted: Tally, names: Sequence[str]) -> Audience:
    likes = {names[platform]: round(likes) for platform, likes in counted.likes.items()}
    return Audience(round(counted.views), sum(counted.members.values()), sum(counted.followers.values()), likes)


def _crowd_audience(crowd: Crowd, names: Sequence[str]) -> Audience:
    people: dict[int, float] = {VIEWS: 0.0, COMMUNITY: 0.0, AUTHOR: 0.0}
    likes: dict[str, float] = {}
    for (audience, kind, platform), times in crowd.audience():
        if kind in people:
            people[kind] += audience * times
        else:
            likes[names[platform]] = likes.get(names[platform], 0.0) + audience * times
    return Audience(
        round(people[VIEWS]),
        round(people[COMMUNITY]),
        round(people[AUTHOR]),
        {platform: round(count) for platform, count in likes.items()},
    )
