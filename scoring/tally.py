"""Tally: what the items of a story add up to, by how recent they are.

Owns the sums over items: by platform, distinct authors, the audience by source, votes, feelings. Must never know what
factors they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.item import AUTHOR, COMMUNITY, LIKES, POST, VIEWS, Item, weight
from scoring.settings import DAY_MS, DEFAULT, HOUR_MS, MINUTE_MS, Settings

__all__ = ["Census", "Tally", "take_census"]


class Tally:
    """Sums over the items of a span of time; those of spans that do not overlap can be added up.

    ``items`` and ``interactions``: by platform; whole numbers while a story is kept exactly, else estimates.
    ``members`` and ``followers``: of each community and author that is a source of audience, the most observed;
    ``views``: of the items that tell them; ``likes``: by platform, of the items of which nothing else is known.
    """

    __slots__ = ("authors", "followers", "interactions", "items", "likes", "members", "views")

    def __init__(self) -> None:
        self.items: dict[int, float] = {}
        self.interactions: dict[int, float] = {}
        self.authors: set[int] = set()
        self.members: dict[int, int] = {}
        self.followers: dict[int, int] = {}
        self.views: float = 0
        self.likes: dict[int, float] = {}

    def add(self, other: Tally) -> None:
        """Add the sums of another span."""
        for platform, items in other.items.items():
            self.items[platform] = self.items.get(platform, 0) + items
            self.interactions[platform] = self.interactions.get(platform, 0) + other.interactions[platform]
        self.authors |= other.authors
        _raise(self.members, other.members)
        _raise(self.followers, other.followers)
        self.views += other.views
        for platform, likes in other.likes.items():
            self.likes[platform] = self.likes.get(platform, 0) + likes


class Census:
    """All sums over a story's items at one time.

    ``spans``: those of the last 5 minutes, of the rest of the last hour, of the last day, and of the time before.
    ``votes``: (ratio, likes, number of items it stands for). ``posted``: platforms with a post. ``positive``,
    ``negative``: replies. ``hour_begins_ms``: when the oldest item of the last hour was covered, 0 if there is none.
    """

    __slots__ = ("hour_begins_ms", "negative", "positive", "posted", "spans", "votes")

    def __init__(self) -> None:
        self.spans = (Tally(), Tally(), Tally(), Tally())
        self.hour_begins_ms = 0
        self.votes: list[tuple[float, int, float]] = []
        self.posted: set[int] = set()
        self.positive = 0
        self.negative = 0


def take_census(  # noqa: PLR0912, PLR0915 - one pass over every item, in every score: calls would cost more than the rest
    items: Iterable[Item],
    t_ms: int,
    replies_seen: Mapping[int, int],
    settings: Settings = DEFAULT,
    threshold: float = 0.0,
) -> Census:
    """Add up ``items``, none of them covered after ``t_ms``.

    ``replies_seen``: by key of the root; the replies of an item are the larger of its counter and these.
    ``threshold``: of the sample that ``items`` are, 0 if they are all (see :mod:`scoring.sampling`); communities and
    authors count once even then, so that their audience is a lower bound.
    """
    census = Census()
    latest, hour, day, older = census.spans
    votes, posted = census.votes, census.posted
    five_begins_ms, hour_begins_ms, day_begins_ms = t_ms - 5 * MINUTE_MS, t_ms - HOUR_MS, t_ms - DAY_MS
    like, reply, share = (
        settings.interactions_per_like,
        settings.interactions_per_reply,
        settings.interactions_per_share,
    )
    positive = negative = 0
    oldest_ms = t_ms + 1
    times: float = 1
    for item in items:
        covered_ms = item.covered_ms
        if covered_ms > hour_begins_ms:
            span = latest if covered_ms > five_begins_ms else hour
            oldest_ms = min(oldest_ms, covered_ms)
        else:
            span = day if covered_ms > day_begins_ms else older
        platform, replies = item.platform, item.replies
        if item.kind == POST:
            posted.add(platform)
            seen = replies_seen.get(item.key)
            if seen is not None and seen > replies:
                replies = seen
        elif item.sentiment > 0:
            positive += 1
        elif item.sentiment < 0:
            negative += 1
        acts: float = item.likes * like + replies * reply + item.shares * share
        if threshold:
            times = max(1.0, threshold / weight(item))
            acts *= times
        if platform in span.items:
            span.items[platform] += times
            span.interactions[platform] += acts
        else:
            span.items[platform] = times
            span.interactions[platform] = acts
        author = item.author
        if author:
            span.authors.add(author)
        source = item.source
        if source == COMMUNITY:
            if item.audience > span.members.get(item.community, -1):
                span.members[item.community] = item.audience
        elif source == AUTHOR:
            if item.audience > span.followers.get(author, -1):
                span.followers[author] = item.audience
        elif source == LIKES:
            span.likes[platform] = span.likes.get(platform, 0) + item.audience * times
        elif source == VIEWS:
            span.views += item.audience * times
        ratio = item.like_ratio
        if ratio is not None:
            votes.append((ratio, item.likes, times))
    census.positive, census.negative = positive, negative
    census.hour_begins_ms = oldest_ms if oldest_ms <= t_ms else 0
    return census


def _raise(sizes: dict[int, int], others: Mapping[int, int]) -> None:
    """Keep the larger size of each key."""
    for key, size in others.items():
        if size > sizes.get(key, -1):
            sizes[key] = size
