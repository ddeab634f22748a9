"""Windows: what a story has in the last 5 minutes, the last hour, the last day, and in total.

Owns the summing of spans into windows, and the estimates for a sketched ledger. Must never know what a window is used
for.

A window holds the items *covered* in it, with their latest counts: the interactions of its items, whenever they came.
What an item gained within the window depends on how often it was polled, so it is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from scoring.ledger import Ledger
from scoring.ledger.aggregate import EMPTY, Aggregate, SpanAggregate
from scoring.ledger.item import AUTHOR, COMMUNITY, LIKES, VIEWS
from scoring.ledger.sketches import Sketches
from scoring.settings import DAY_MS, DEFAULT, HOUR_MS, MINUTE_MS

_NAMES = ("5m", "1h", "24h", "life")
_LENGTHS_MS = (5 * MINUTE_MS, HOUR_MS, DAY_MS)


class PlatformCounts(msgspec.Struct, frozen=True, gc=False):
    """A story's items and interactions on one platform."""

    items: int
    interactions: int


class Window(msgspec.Struct, frozen=True):
    """The items covered in a span of time that ends at the time of scoring, with their latest counts.

    ``authors``: distinct known authors; ``audience``: estimated, in people.
    """

    items: int
    authors: int
    audience: int
    interactions: int
    platforms: dict[str, PlatformCounts]


class Audience(msgspec.Struct, frozen=True):
    """The audience by what it is known from: people who viewed, are members, or follow; and likes, by platform."""

    views: int
    members: int
    followers: int
    likes: dict[str, int]

    def estimate(self) -> float:
        """Return A, in people.

        >>> Audience(views=1000, members=50_000, followers=2_000, likes={"reddit": 10}).estimate()
        2600.0
        """
        rates, other = DEFAULT.views_per_like, DEFAULT.other_views_per_like
        return (
            self.views
            + DEFAULT.views_per_member * self.members
            + DEFAULT.views_per_follower * self.followers
            + sum(rates.get(platform, other) * likes for platform, likes in sorted(self.likes.items()))
        )

    def times(self, share: float) -> Audience:
        """Return ``share`` of this audience."""
        likes = {platform: round(share * count) for platform, count in self.likes.items()}
        return Audience(round(share * self.views), round(share * self.members), round(share * self.followers), likes)


def windows(aggregate: Aggregate, names: Sequence[str]) -> tuple[dict[str, Window], Audience]:
    """Return the windows by name, and the audience of the whole story; ``names``: of the platforms, by index."""
    so_far = SpanAggregate()
    found: dict[str, Window] = {}
    for name, span in zip(_NAMES, aggregate.spans, strict=True):
        if span.items or not found:
            so_far = so_far.plus(span)
            audience = audience_of(so_far, names)
            window = _window(so_far, audience, names)
        found[name] = window
    return found, audience


def lifetime(aggregate: Aggregate, names: Sequence[str]) -> tuple[Audience, dict[str, int]]:
    """Return the audience of the whole story, and its interactions by platform."""
    so_far = EMPTY
    for span in aggregate.spans:
        if span.items:
            so_far = so_far.plus(span)
    return audience_of(so_far, names), {names[index]: round(sum_) for index, sum_ in so_far.interactions.items()}


def sketched_windows(
    aggregate: Aggregate, sketches: Sketches, ledger: Ledger, t_ms: int
) -> tuple[dict[str, Window], Audience]:
    """Return what :func:`windows` returns, as estimates for a sketched ledger; ``aggregate``: over its sample.

    Items, authors, replies seen and the audience of the whole story come from the sketches. Interactions come from the
    sample. Both state their errors. The audience of a shorter window and its items by platform are those of the sample
    alone, which is rough.
    """
    _fill_up(aggregate, sketches)
    names = ledger.platforms
    found, _ = windows(aggregate, names)
    # The windows count the rings, not the sample, so they also lose an item when the rings do.
    aggregate.hour_begins_ms = sketches.rings[1].leaves_ms(t_ms - HOUR_MS)
    for (name, window), length_ms, ring in zip(tuple(found.items()), _LENGTHS_MS, sketches.rings, strict=False):
        items, authors = ring.since(t_ms - length_ms)
        found[name] = msgspec.structs.replace(window, items=round(items), authors=round(authors))
    audience = _sketched_audience(sketches, names)
    if aggregate.copies.dropped:
        audience = audience.times(_share_without_copies(aggregate, ledger))
    found["life"] = msgspec.structs.replace(
        found["life"], authors=round(sketches.authors.estimate()), audience=round(audience.estimate())
    )
    return found, audience


def _fill_up(aggregate: Aggregate, sketches: Sketches) -> None:
    """Add what the sketches counted beyond the sample to the oldest span, so that it counts for the whole story."""
    if aggregate.spans[-1] is EMPTY:
        aggregate.spans[-1] = SpanAggregate()
    older = aggregate.spans[-1]
    for platform, (items, replies) in sketches.platforms.items():
        sampled = sum(span.items.get(platform, 0.0) for span in aggregate.spans)
        counted = sum(span.counted_replies.get(platform, 0.0) for span in aggregate.spans)
        unseen = max(0.0, replies.estimate() - counted)
        older.items[platform] = older.items.get(platform, 0.0) + items.estimate() - sampled
        older.interactions[platform] = older.interactions.get(platform, 0.0) + DEFAULT.interactions_per_reply * unseen
    aggregate.posted = sketches.posted
    aggregate.positive, aggregate.negative = round(sketches.positive.estimate()), round(sketches.negative.estimate())


def _share_without_copies(aggregate: Aggregate, ledger: Ledger) -> float:
    """Return which share of the sample's audience the items have that are no dropped copies."""
    whole, own = SpanAggregate(), SpanAggregate()
    # In order of keys, so that sums of estimates are the same in any order of arrival. A liked item stands for others,
    # which its author would not.
    items = [
        msgspec.structs.replace(item, author=0) if item.source == LIKES else item
        for _, item in sorted(ledger.items.items())
    ]
    whole.count(items, {}, aggregate.threshold)
    own.count(items, {}, aggregate.threshold, aggregate.copies)
    audience, without = (audience_of(some, ledger.platforms).estimate() for some in (whole, own))
    return without / audience if audience else 1.0


def _window(counted: SpanAggregate, audience: Audience, names: Sequence[str]) -> Window:
    items = interactions = 0
    platforms: dict[str, PlatformCounts] = {}
    for platform, count in counted.items.items():
        counts = PlatformCounts(round(count), round(counted.interactions[platform]))
        platforms[names[platform]] = counts
        items += counts.items
        interactions += counts.interactions
    return Window(items, len(counted.authors), round(audience.estimate()), interactions, platforms)


def audience_of(counted: SpanAggregate, names: Sequence[str]) -> Audience:
    """Return the audience of the items of a span."""
    likes = {names[platform]: round(likes) for platform, likes in counted.likes.items()}
    for most, platform in counted.fans.values():
        likes[names[platform]] = likes.get(names[platform], 0) + most
    return Audience(round(counted.views), sum(counted.members.values()), sum(counted.followers.values()), likes)


def _sketched_audience(sketches: Sketches, names: Sequence[str]) -> Audience:
    people: dict[int, float] = {VIEWS: 0.0, COMMUNITY: 0.0, AUTHOR: 0.0}
    likes: dict[str, float] = {}
    for (audience, kind, platform), times in sketches.audience():
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
