"""Aggregate: the sums over a story's items, by how recent they are.

Owns the sums (by platform, distinct authors, audience by source, votes, sentiment) and how they are updated without
adding up all items again. Must never know what factors they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TypeVar

import msgspec

from scoring.factors.polarity import Split, Votes, vote_splits
from scoring.ledger.item import AUTHOR, COMMUNITY, LIKES, POST, VIEWS, Item, weight
from scoring.ledger.voices import COPIES, NO_COPIES, Copies, Voice, person_of, voice
from scoring.settings import DAY_MS, DEFAULT, HOUR_MS, MINUTE_MS

NEVER_MS = 1 << 62
NO_FANS = (-1, 0)
Size = TypeVar("Size", int, tuple[int, int])
_SIZED = (COMMUNITY, AUTHOR)
"""Sources whose largest size counts: where it shrinks, another item's size may count instead."""


class SpanAggregate(msgspec.Struct, eq=False):
    """Sums over the items of a span of time. Spans that do not overlap can be added up.

    ``items``, ``interactions``: by platform; whole numbers while all items are kept, else estimates.
    ``members``, ``followers``: the largest size observed of each community or author that an audience is known from.
    ``views``: of the items that state them. ``fans``: the most likes of an item of each author whose audience nothing
    else states, with the platform. ``likes``: by platform, of such items by unknown authors.
    ``voices``: those of the last hour that do not only copy, and ``copied``: those that do, by the copied text; see
    :mod:`scoring.ledger.voices`. Audience and interactions leave out the dropped copies.
    ``counted_replies``: what the counters of items say, by platform, if the items are a sample.
    ``votes``: how the votes on an item are split, by its key. ``replies``: of each post, as counted here, by its key.
    ``posted``: platforms with a post. ``positive``, ``negative``: replies by sentiment.
    ``oldest_ms``: when the first of the items was covered, UTC epoch ms.
    """

    items: dict[int, float] = {}
    interactions: dict[int, float] = {}
    authors: set[int] = set()
    members: dict[int, int] = {}
    followers: dict[int, int] = {}
    fans: dict[int, tuple[int, int]] = {}
    views: float = 0
    likes: dict[int, float] = {}
    counted_replies: dict[int, float] = {}
    votes: dict[int, Split] = {}
    replies: dict[int, int] = {}
    posted: set[int] = set()
    positive: int = 0
    negative: int = 0
    oldest_ms: int = NEVER_MS
    voices: set[Voice] = set()
    copied: dict[int, set[Voice]] = {}

    def count(  # noqa: PLR0912, PLR0915 - the one loop over items of every score: calls inside would double its time
        self, items: Iterable[Item], seen: Mapping[int, int], threshold: float, copies: Copies = NO_COPIES
    ) -> None:
        """Add ``items``. ``seen``: see :meth:`Aggregate.update`; ``threshold``: see :class:`Aggregate`.

        ``copies``: those that are dropped count for neither audience nor interactions, and those that are not count
        for themselves alone, even in a sample.
        """
        counted, acted, liked = self.items, self.interactions, self.likes
        members, followers, authors, reported = self.members, self.followers, self.authors, self.counted_replies
        fans, dropped = self.fans, copies.dropped
        like, reply = DEFAULT.interactions_per_like, DEFAULT.interactions_per_reply
        share = DEFAULT.interactions_per_share
        voted: list[int] = []
        votes: list[Votes] = []
        times: float = 1
        oldest_ms, positive, negative = self.oldest_ms, self.positive, self.negative
        for item in items:
            platform, replies = item.platform, item.replies
            authors.add(item.author)
            oldest_ms = min(oldest_ms, item.covered_ms)
            if item.kind == POST:
                self.posted.add(platform)
                replies = self.replies[item.key] = max(replies, seen.get(item.key, 0))
            elif sentiment := item.sentiment:
                if sentiment > 0:
                    positive += 1
                else:
                    negative += 1
            if threshold:
                times = max(1.0, threshold / weight(item))
                reported[platform] = reported.get(platform, 0.0) + item.replies * times
            counted[platform] = counted.get(platform, 0) + times
            if item.like_ratio is not None:
                voted.append(item.key)
                votes.append((item.like_ratio, item.likes, times))
            if dropped:
                if item.key in dropped:
                    acted.setdefault(platform, 0)
                    continue
                if item.key in copies.kept:
                    times = 1
            acts = item.likes * like + replies * reply + item.shares * share
            acted[platform] = acted.get(platform, 0) + acts * times
            source, audience = item.source, item.audience
            if source == LIKES:
                if not item.author:
                    liked[platform] = liked.get(platform, 0) + audience * times
                elif (audience, platform) > fans.get(item.author, NO_FANS):
                    fans[item.author] = audience, platform
            elif source == COMMUNITY:
                if audience > members.get(item.community, -1):
                    members[item.community] = audience
            elif source == AUTHOR:
                if audience > followers.get(item.author, -1):
                    followers[item.author] = audience
            elif source == VIEWS:
                self.views += audience * times
        authors.discard(0)
        self.oldest_ms, self.positive, self.negative = oldest_ms, positive, negative
        if votes:
            self.votes.update(zip(voted, vote_splits(votes), strict=True))

    def hear(self, items: Iterable[Item], copiers: Mapping[int, int]) -> None:
        """Add the voices that say ``items``."""
        if not copiers:
            self.voices.update(map(voice, items))
            return
        for item in items:
            spoken = voice(item)
            text = copiers.get(person_of(spoken))
            (self.voices if text is None else self.copied.setdefault(text, set())).add(spoken)

    def move(self, person: int, before: int | None, text: int | None) -> None:
        """Move the voices of ``person``, who copied the text ``before``, and copies ``text`` now; None: no copier."""
        spoken = self.voices if before is None else self.copied.get(before, set())
        own = {each for each in spoken if person_of(each) == person}
        if own:
            spoken -= own
            (self.voices if text is None else self.copied.setdefault(text, set())).update(own)

    def recount(self, old: Item, new: Item, seen: Mapping[int, int], *, is_dropped: bool) -> bool:
        """Replace ``old`` by ``new``, a later observation of the same item, where all items are kept.

        Return False, and do nothing, if more has changed than the counts.
        """
        key, platform, source, ratio = new.key, new.platform, new.source, new.like_ratio
        was, now = old.audience, new.audience
        if old is not new:
            same = (
                (old.kind, old.platform, old.author, old.source, old.community, old.sentiment, old.covered_ms)
                == (new.kind, platform, new.author, source, new.community, new.sentiment, new.covered_ms)
            )  # fmt: skip
            if not same or (old.like_ratio is None) != (ratio is None) or (source in _SIZED and was != now):
                return False
            if source == LIKES and new.author and now < was:
                return False
        old_replies, replies = old.replies, new.replies
        if new.kind == POST:
            old_replies, replies = self.replies[key], max(replies, seen.get(key, 0))
            self.replies[key] = replies
        if not is_dropped:
            self.interactions[platform] += (
                (new.likes - old.likes) * DEFAULT.interactions_per_like
                + (replies - old_replies) * DEFAULT.interactions_per_reply
                + (new.shares - old.shares) * DEFAULT.interactions_per_share
            )
            if source == VIEWS:
                self.views += now - was
            elif source == LIKES:
                if not new.author:
                    self.likes[platform] += now - was
                elif now > self.fans[new.author][0]:
                    self.fans[new.author] = now, platform
        if ratio is not None:
            self.votes[key] = vote_splits([(ratio, new.likes, 1)])[0]
        self.oldest_ms = min(self.oldest_ms, new.covered_ms)
        return True

    def plus(self, other: SpanAggregate) -> SpanAggregate:
        """Return those sums of both spans that windows need; ``other`` itself, if this span is empty."""
        if not self.items:
            return other
        return SpanAggregate(
            items=_sums(self.items, other.items),
            interactions=_sums(self.interactions, other.interactions),
            likes=_sums(self.likes, other.likes),
            members=_maxima(self.members, other.members, -1),
            followers=_maxima(self.followers, other.followers, -1),
            fans=_maxima(self.fans, other.fans, NO_FANS),
            authors=self.authors | other.authors,
            views=self.views + other.views,
        )


def _sums(mine: dict[int, float], theirs: dict[int, float]) -> dict[int, float]:
    both = dict(mine)
    for key, count in theirs.items():
        both[key] = both.get(key, 0) + count
    return both


def _maxima(mine: dict[int, Size], theirs: dict[int, Size], none: Size) -> dict[int, Size]:
    both = dict(mine)
    for key, size in theirs.items():
        if size > both.get(key, none):
            both[key] = size
    return both


EMPTY = SpanAggregate()
"""The sums of a span without items, shared by most spans of most stories."""


class Aggregate(msgspec.Struct, eq=False):
    """All sums over a story's items at ``t_ms``, UTC epoch ms. No item was covered after that time.

    ``spans``: the sums of the last 5 minutes, of the rest of the last hour, of the last day, and of the time before.
    ``votes``, ``posted``, ``positive``, ``negative``: as in :class:`SpanAggregate`, over all spans.
    ``hour_begins_ms``: when the oldest item of the last hour was covered, UTC epoch ms; 0 if there is none.

    ``copies``: those among the items. ``threshold``: of the sample that the items are (see
    :mod:`scoring.ledger.priority`), 0 if they are all. A community or author counts once even in a sample, so their
    audience is then a lower bound.
    """

    threshold: float = 0.0
    t_ms: int = 0
    spans: list[SpanAggregate] = msgspec.field(default_factory=lambda: [EMPTY, EMPTY, EMPTY, EMPTY])
    votes: list[Split] = []
    posted: set[int] = set()
    positive: int = 0
    negative: int = 0
    hour_begins_ms: int = 0
    copies: Copies = NO_COPIES
    _held: tuple[dict[int, Item], ...] = msgspec.field(default_factory=lambda: ({}, {}, {}, {}))
    """The items of each span, by key."""

    def update(
        self, items: Mapping[int, Item], touched: Set[int], t_ms: int, seen: Mapping[int, int], copies: Copies
    ) -> None:
        """Move the sums on to ``t_ms``, which is not before the time they are for.

        ``items``: all items, by key. ``touched``: keys of those that came or changed since the last update.
        ``seen``: replies seen, by the key of the root; a post has the larger of its counter and this. ``copies``: those
        among the items.

        A span that only gains items is added to. One that loses items is added up again, unless only the counts of an
        item have changed.
        """
        begins_ms = (t_ms - 5 * MINUTE_MS, t_ms - HOUR_MS, t_ms - DAY_MS)
        switched = self._switch(copies)
        dropped = copies.dropped
        touched = touched | switched
        moved: set[int] = set(touched)
        lossy: set[int] = set()
        for number, held in enumerate(self._held):
            if not held:
                continue
            span = self.spans[number]
            for key in touched & held.keys():
                item = items[key]
                if (
                    key not in switched
                    and _span_of(item, begins_ms) == number
                    and span.recount(held[key], item, seen, is_dropped=key in dropped)
                ):
                    held[key] = item
                    moved.remove(key)
                else:
                    del held[key]
                    lossy.add(number)
            if number < 3 and span.oldest_ms <= begins_ms[number]:
                aged = [key for key, item in held.items() if item.covered_ms <= begins_ms[number]]
                for key in aged:
                    del held[key]
                moved.update(aged)
                lossy.add(number)
        self._gain(items, moved, lossy, seen, begins_ms)
        self.t_ms = t_ms
        self._sum_up()

    def _switch(self, copies: Copies) -> Set[int]:
        """Set the copies, and move the voices of those who became copiers or are no more; return the switched items."""
        before, self.copies = self.copies, copies
        if before is copies:
            return frozenset()
        for person, _ in before.copiers.items() ^ copies.copiers.items():
            for span in self.spans[:2]:
                span.move(person, before.copiers.get(person), copies.copiers.get(person))
        return before.dropped ^ copies.dropped

    def _gain(
        self,
        items: Mapping[int, Item],
        moved: Set[int],
        lossy: Set[int],
        seen: Mapping[int, int],
        begins_ms: tuple[int, int, int],
    ) -> None:
        """Add the ``moved`` items to their spans, and add up again the spans that lost items."""
        gained: tuple[list[Item], ...] = ([], [], [], [])
        for key in moved:
            item = items[key]
            number = _span_of(item, begins_ms)
            self._held[number][key] = item
            gained[number].append(item)
        for number, gain in enumerate(gained):
            counted: Iterable[Item] = self._held[number].values() if number in lossy else gain
            if number in lossy or self.spans[number] is EMPTY:
                self.spans[number] = SpanAggregate() if counted else EMPTY
            if counted:
                self.spans[number].count(counted, seen, self.threshold, self.copies)
                if number < 2:
                    self.spans[number].hear(counted, self.copies.copiers)

    @property
    def people(self) -> int:
        """How many people spoke in the last hour."""
        latest, hour = self.spans[0], self.spans[1]
        own = len(latest.voices) + len(hour.voices) - len(latest.voices & hour.voices)
        nobody: set[Voice] = set()
        for text in latest.copied.keys() | hour.copied.keys():
            own += min(COPIES, len(latest.copied.get(text, nobody) | hour.copied.get(text, nobody)))
        return own

    def _sum_up(self) -> None:
        latest, hour, day, older = self.spans
        self.votes = [vote for span in self.spans for vote in span.votes.values()]
        self.posted = latest.posted | hour.posted | day.posted | older.posted
        self.positive = latest.positive + hour.positive + day.positive + older.positive
        self.negative = latest.negative + hour.negative + day.negative + older.negative
        oldest_ms = min(latest.oldest_ms, hour.oldest_ms)
        self.hour_begins_ms = 0 if oldest_ms == NEVER_MS else oldest_ms


def _span_of(item: Item, begins_ms: tuple[int, int, int]) -> int:
    """Return which span holds ``item``: 0 to 2 begin after ``begins_ms``, 3 is the time before."""
    covered_ms, (latest_ms, hour_ms, day_ms) = item.covered_ms, begins_ms
    if covered_ms > hour_ms:
        return 0 if covered_ms > latest_ms else 1
    return 2 if covered_ms > day_ms else 3
