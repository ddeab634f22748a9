"""Item: what a ledger keeps of one post, reply or repost.

Owns the choice among observations of the same item. Must never know of other items.

The choice is a maximum over all observations, so neither their order nor their repetition matters. An observation with
at least one count beats one without, which has nothing to replace a count with. Then the later one wins. Of two at the
same millisecond that disagree, the one with larger counts wins.
"""

from __future__ import annotations

from typing import Final

import msgspec

from scoring.ledger.identity import hashed, identity
from scoring.ledger.wording import MAX_CHARS, link_number, text_number, title_number
from scoring.observation import Reading, Signal

POST: Final = 0
REPLY: Final = 1
REPOST: Final = 2
_KINDS = {"post": POST, "reply": REPLY, "repost": REPOST}

NO_SOURCE: Final = 0
VIEWS: Final = 1
COMMUNITY: Final = 2
AUTHOR: Final = 3
LIKES: Final = 4
"""What an item's audience is known from; ``NO_SOURCE``: it is unknown."""

_UNCOUNTED = 1 << 53
"""Subtracted from the rank of an observation without counts: larger than any time in ms."""


class Item(msgspec.Struct, array_like=True, gc=False):
    """One item, as last observed. The order of the fields is the format: new ones go to the end, with a default.

    ``key``, ``author``, ``community``, ``thread``: by :func:`scoring.ledger.identity.identity`; 0 if unknown or unused.
    ``platform``: an index into the ledger's list. ``rank``: the time of observation (UTC epoch ms), less 2^53 if it had
    no counts. ``covered_ms``: the earliest min(created, observed) of its observations. Counts: 0 where unknown, since
    they are only ever added up. ``audience``: views, members, followers or likes, as ``source`` says. ``sentiment``:
    of a reply; 0 if neutral or unknown. ``text``, ``link``: by :mod:`scoring.ledger.wording`; 0 if unknown.
    ``again_ms``: of a repeat, the earliest min(created, observed) of its own observations; ``covered_ms`` is then when
    its author said the same first. 0 if it is none.
    """

    key: int
    kind: int
    platform: int
    rank: int
    covered_ms: int
    likes: int
    replies: int
    shares: int
    like_ratio: float | None
    source: int
    audience: int
    author: int
    community: int
    thread: int
    sentiment: int
    text: int = 0
    link: int = 0
    again_ms: int = 0

    @property
    def made_ms(self) -> int:
        """The earliest min(created, observed) of its observations, UTC epoch ms, repeat or not."""
        return self.again_ms or self.covered_ms

    def cover(self, covered_ms: int, made_ms: int) -> None:
        """Set when the item was covered, given when it was made itself."""
        self.covered_ms = covered_ms
        self.again_ms = made_ms if made_ms > covered_ms else 0

    def replaces(self, old: Item) -> bool:
        """Return whether this observation replaces ``old``, another one of the same item."""
        return self.rank > old.rank or (self.rank == old.rank and self._tie_break() > old._tie_break())

    def _tie_break(self) -> tuple[float, ...]:
        return (
            self.likes,
            self.replies,
            self.shares,
            -1.0 if self.like_ratio is None else self.like_ratio,
            -self.source,
            self.audience,
            self.author,
            self.community,
            self.thread,
            self.sentiment,
            self.kind,
            self.text,
            self.link,
        )


def peak(item: Item) -> int:
    """Return the interactions in this one observation: likes + 2·replies + 3·shares.

    The weights are written out here: they decide what a ledger keeps, not what it scores.
    """
    return item.likes + 2 * item.replies + 3 * item.shares


def weight(item: Item) -> int:
    """Return the item's sampling weight, at least 1: its interactions plus 1."""
    return 1 + item.likes + 2 * item.replies + 3 * item.shares


def observe(signal: Signal, reading: Reading, platform: int) -> Item:
    """Return the item as this one observation shows it; ``platform``: the ledger's index of the signal's platform.

    The audience is the first that is known of: the item's views, its community's members, its author's followers, its
    likes. A community or author without a name is not distinguishable, so it counts as unknown.
    """
    counts, author, community = signal.counts, signal.author, signal.community
    likes, replies, shares, views, ratio = counts.likes, counts.replies, counts.shares, counts.views, counts.like_ratio
    author_key = community_key = thread = sentiment = audience = 0
    source = NO_SOURCE
    if author is not None and author.name is not None:
        author_key = identity(f"{signal.platform}:{author.name}")
        if author.followers is not None:
            source, audience = AUTHOR, author.followers
    if views is not None:
        source, audience = VIEWS, views
    elif community is not None and community.members is not None and community.name is not None:
        source, audience = COMMUNITY, community.members
        community_key = identity(f"{signal.platform}:{community.name}")
    elif source == NO_SOURCE and likes is not None:
        source, audience = LIKES, likes
    kind = signal.kind
    if kind == "reply":
        key, thread = hashed(signal.id), identity(signal.thread)
        sentiment = reading.sentiment or 0
    else:
        key = identity(signal.id)
    rank = covered_ms = signal.observed_ms
    # What was taken back replaces nothing: it has lost its author and its words, and they must go on to count.
    if signal.deleted or (likes is None and replies is None and shares is None and views is None and ratio is None):
        rank -= _UNCOUNTED
    covered_ms = min(covered_ms, signal.created_ms)
    title, words, url = signal.title, signal.text, signal.url
    return Item(
        key,
        _KINDS[kind],
        platform,
        rank,
        covered_ms,
        likes or 0,
        replies or 0,
        shares or 0,
        ratio,
        source,
        audience,
        author_key,
        community_key,
        thread,
        sentiment,
        title_number(title[:MAX_CHARS]) if title else text_number(words) if words else 0,
        link_number(url) if url else 0,
    )
