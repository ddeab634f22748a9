"""Tally: what the items of a story add up to, by how recent they are.

Owns the sums over items: by platform, distinct authors, the audience by source, votes, feelings; and how they are
brought up to date without adding up all items anew. Must never know what factors they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from scoring.factors.polarity import Evidence, Votes, votes_evidence
from scoring.item import AUTHOR, COMMUNITY, LIKES, POST, VIEWS, Item, weight
from scoring.settings import DAY_MS, DEFAULT, HOUR_MS, MINUTE_MS, Settings

__all__ = ["NOTHING", "Census", "Tally"]

NEVER_MS = 1 << 62


class Tally:
    """Sums over the items of a span of time; those of spans that do not overlap can be added up.

    ``items`` and ``interactions``: by platform; whole numbers while a story is kept exactly, else estimates.
    ``members`` and ``followers``: of each community and author that is a source of audience, the most observed;
    ``views``: of the items that tell them; ``likes``: by platform, of the items of which nothing else is known.
    ``told``: replies that counters tell of, by platform, if the items are a sample. ``votes``: what those on each item
    say. ``posted``: platforms with a post. ``positive``, ``negative``: replies. ``oldest_ms``: when the first of the
    items was covered.
    """

    __slots__ = (
        "authors",
        "followers",
        "interactions",
        "items",
        "likes",
        "members",
        "negative",
        "oldest_ms",
        "positive",
        "posted",
        "told",
        "views",
        "votes",
    )

    def __init__(self) -> None:
        self.items: dict[int, float] = {}
        self.interactions: dict[int, float] = {}
        self.authors: set[int] = set()
        self.members: dict[int, int] = {}
        self.followers: dict[int, int] = {}
        self.views: float = 0
        self.likes: dict[int, float] = {}
        self.told: dict[int, float] = {}
        self.votes: list[Evidence] = []
        self.posted: set[int] = set()
        self.positive = 0
        self.negative = 0
        self.oldest_ms = NEVER_MS

    def count(  # noqa: PLR0912 - the one loop over items of every score: calls inside would double its time
        self, items: Iterable[Item], seen: Mapping[int, int], settings: Settings, threshold: float
    ) -> None:
        """Add the sums over ``items``; ``seen`` and ``threshold``: see :class:`Census`."""
        counted, acted, liked = self.items, self.interactions, self.likes
        members, followers, authors, told = self.members, self.followers, self.authors, self.told
        like, reply = settings.interactions_per_like, settings.interactions_per_reply
        share = settings.interactions_per_share
        votes: list[Votes] = []
        times: float = 1
        oldest_ms = self.oldest_ms
        for item in items:
            platform, replies = item.platform, item.replies
            authors.add(item.author)
            oldest_ms = min(oldest_ms, item.covered_ms)
            if item.kind == POST:
                self.posted.add(platform)
                replies = max(replies, seen.get(item.key, 0))
            elif feeling := item.sentiment:
                if feeling > 0:
                    self.positive += 1
                else:
                    self.negative += 1
            acts: float = item.likes * like + replies * reply + item.shares * share
            if threshold:
                times = max(1.0, threshold / weight(item))
                acts *= times
                told[platform] = told.get(platform, 0.0) + item.replies * times
            counted[platform] = counted.get(platform, 0) + times
            acted[platform] = acted.get(platform, 0) + acts
            source, audience = item.source, item.audience
            if source == LIKES:
                liked[platform] = liked.get(platform, 0) + audience * times
            elif source == COMMUNITY:
                if audience > members.get(item.community, -1):
                    members[item.community] = audience
            elif source == AUTHOR:
                if audience > followers.get(item.author, -1):
                    followers[item.author] = audience
            elif source == VIEWS:
                self.views += audience * times
            if item.like_ratio is not None:
                votes.append((item.like_ratio, item.likes, times))
        authors.discard(0)
        self.oldest_ms = oldest_ms
        if votes:
            self.votes += votes_evidence(votes, settings)

    def plus(self, other: Tally) -> Tally:
        """Return what windows need of the sums of both spans; ``other`` itself, if there is nothing here."""
        if not self.items:
            return other
        both = Tally()
        for counts, mine, theirs in (
            (both.items, self.items, other.items),
            (both.interactions, self.interactions, other.interactions),
            (both.likes, self.likes, other.likes),
        ):
            counts.update(mine)
            for platform, count in theirs.items():
                counts[platform] = counts.get(platform, 0) + count
        for sizes, these, others in (
            (both.members, self.members, other.members),
            (both.followers, self.followers, other.followers),
        ):
            sizes.update(these)
            for key, size in others.items():
                if size > sizes.get(key, -1):
                    sizes[key] = size
        both.authors = self.authors | other.authors
        both.views = self.views + other.views
        return both


NOTHING = Tally()
"""Of a span without items: most spans of most stories, so they share it."""


class Census:
    """All sums over a story's items at one time, none of them covered after it.

    ``spans``: those of the last 5 minutes, of the rest of the last hour, of the last day, and of the time before.
    The rest is as in :class:`Tally`, of all of them; ``hour_begins_ms``: when the oldest item of the last hour was
    covered, 0 if there is none.

    ``threshold``: of the sample that the items are, 0 if they are all (see :mod:`scoring.sampling`); communities and
    authors count once even then, so that their audience is a lower bound.
    """

    __slots__ = (
        "_held",
        "_settings",
        "_t_ms",
        "_threshold",
        "hour_begins_ms",
        "negative",
        "positive",
        "posted",
        "spans",
        "votes",
    )

    def __init__(self, settings: Settings = DEFAULT, threshold: float = 0.0) -> None:
        self._settings = settings
        self._threshold = threshold
        self._t_ms = 0
        self._held: tuple[dict[int, Item], ...] = ({}, {}, {}, {})
        """The items of each span, by key."""
        self.spans = [NOTHING, NOTHING, NOTHING, NOTHING]

    def serves(self, t_ms: int, settings: Settings) -> bool:
        """Return whether it can be brought to ``t_ms``, and was made with ``settings``."""
        return t_ms >= self._t_ms and settings is self._settings

    def update(self, items: Mapping[int, Item], touched: Set[int], t_ms: int, seen: Mapping[int, int]) -> None:
        """Bring the sums to ``t_ms``.

        ``items``: all there are now, by key. ``touched``: keys of those that came, changed or went since the last time.
        ``seen``: replies seen, by key of the root; the replies of an item are the larger of its counter and these.

        A span that only gains is added to; one that loses something is added up anew.
        """
        begins_ms = (t_ms - 5 * MINUTE_MS, t_ms - HOUR_MS, t_ms - DAY_MS)
        moved = [items[key] for key in touched if key in items]
        lossy: set[int] = set()
        for number, held in enumerate(self._held):
            if not held:
                continue
            gone = touched & held.keys()
            for key in gone:
                del held[key]
            if number < 3 and self.spans[number].oldest_ms <= begins_ms[number]:
                aged = [item for item in held.values() if item.covered_ms <= begins_ms[number]]
                for item in aged:
                    del held[item.key]
                moved += aged
                lossy.add(number)
            if gone:
                lossy.add(number)
        gained: tuple[list[Item], ...] = ([], [], [], [])
        for item in moved:
            covered_ms = item.covered_ms
            if covered_ms > begins_ms[1]:
                number = 0 if covered_ms > begins_ms[0] else 1
            else:
                number = 2 if covered_ms > begins_ms[2] else 3
            self._held[number][item.key] = item
            gained[number].append(item)
        for number, gain in enumerate(gained):
            counted: Iterable[Item] = self._held[number].values() if number in lossy else gain
            if number in lossy or self.spans[number] is NOTHING:
                self.spans[number] = Tally() if counted else NOTHING
            if counted:
                self.spans[number].count(counted, seen, self._settings, self._threshold)
        self._t_ms = t_ms
        self._sum_up()

    def _sum_up(self) -> None:
        latest, hour, day, older = self.spans
        self.votes = [*latest.votes, *hour.votes, *day.votes, *older.votes]
        self.posted = latest.posted | hour.posted | day.posted | older.posted
        self.positive = latest.positive + hour.positive + day.positive + older.positive
        self.negative = latest.negative + hour.negative + day.negative + older.negative
        oldest_ms = min(latest.oldest_ms, hour.oldest_ms)
        self.hour_begins_ms = 0 if oldest_ms == NEVER_MS else oldest_ms
