"""Tally: what the items of a story add up to, by how recent they are.

Owns the sums over items: by platform, distinct authors, the audience by source, votes, feelings. Must never know what
factors they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.factors.polarity import Votes
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
        for mine, theirs in (
            (self.items, other.items),
            (self.interactions, other.interactions),
            (self.likes, other.likes),
        ):
            for platform, count in theirs.items():
                mine[platform] = mine.get(platform, 0) + count
        for sizes, others in ((self.members, other.members), (self.followers, other.followers)):
            for key, size in others.items():
                if size > sizes.get(key, -1):
                    sizes[key] = size
        self.authors |= other.authors
        self.views += other.views


class Census:
    """All sums over a story's items at one time.

    ``spans``: those of the last 5 minutes, of the rest of the last hour, of the last day, and of the time before.
    ``votes``: (ratio, likes, number of items it stands for). ``posted``: platforms with a post. ``positive``,
    ``negative``: replies. ``hour_begins_ms``: when the oldest item of the last hour was covered, 0 if there is none.
    """

    __slots__ = ("hour_begins_ms", "negative", "positive", "posted", "spans", "votes")

    def __init__(self) -> None:
        self.spans: tuple[Tally, ...] = ()
        self.votes: list[Votes] = []
        self.posted: set[int] = set()
        self.positive = 0
        self.negative = 0
        self.hour_begins_ms = 0

    def tally(  # noqa: PLR0912 - the one loop over all items of every score: calls inside would double its time
        self, items: list[Item], seen: Mapping[int, int], settings: Settings, threshold: float
    ) -> Tally:
        """Return the sums over the items of one span; see :func:`take_census`."""
        span = Tally()
        if not items:
            return span
        counted, acted, liked = span.items, span.interactions, span.likes
        members, followers = span.members, span.followers
        like, reply = settings.interactions_per_like, settings.interactions_per_reply
        share = settings.interactions_per_share
        span.authors = {item.author for item in items}
        span.authors.discard(0)
        times: float = 1
        for item in items:
            platform, replies = item.platform, item.replies
            if item.kind == POST:
                self.posted.add(platform)
                replies = max(replies, seen.get(item.key, 0))
            elif item.sentiment > 0:
                self.positive += 1
            elif item.sentiment < 0:
                self.negative += 1
            acts: float = item.likes * like + replies * reply + item.shares * share
            if threshold:
                times = max(1.0, threshold / weight(item))
                acts *= times
            counted[platform] = counted.get(platform, 0) + times
            acted[platform] = acted.get(platform, 0) + acts
            source, audience = item.source, item.audience
            if source == COMMUNITY:
                if audience > members.get(item.community, -1):
                    members[item.community] = audience
            elif source == AUTHOR:
                if audience > followers.get(item.author, -1):
                    followers[item.author] = audience
            elif source == LIKES:
                liked[platform] = liked.get(platform, 0) + audience * times
            elif source == VIEWS:
                span.views += audience * times
            if item.like_ratio is not None:
                self.votes.append((item.like_ratio, item.likes, times))
        return span


def take_census(
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
    five_begins_ms, hour_begins_ms, day_begins_ms = t_ms - 5 * MINUTE_MS, t_ms - HOUR_MS, t_ms - DAY_MS
    latest: list[Item] = []
    hour: list[Item] = []
    day: list[Item] = []
    older: list[Item] = []
    for item in items:
        covered_ms = item.covered_ms
        if covered_ms > hour_begins_ms:
            (latest if covered_ms > five_begins_ms else hour).append(item)
        else:
            (day if covered_ms > day_begins_ms else older).append(item)
    census = Census()
    census.spans = tuple(census.tally(span, replies_seen, settings, threshold) for span in (latest, hour, day, older))
    census.hour_begins_ms = min([item.covered_ms for item in hour or latest], default=0)
    return census
