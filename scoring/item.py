"""Item: what a ledger keeps of one post, reply or repost.

Owns the choice among observations of the same item. Must never know of other items.

The choice is a maximum over all observations, so neither their order nor their repetition matters: an observation that
tells at least one count beats one that tells none (which saw nothing that could replace a count), then the later one
wins; of two at the same millisecond that disagree, the larger counts win.
"""

from __future__ import annotations

from typing import Final

import msgspec

from scoring.identity import identity
from scoring.observation import Reading, Sentiment, Signal

__all__ = ["AUTHOR", "COMMUNITY", "LIKES", "NOBODY", "POST", "REPLY", "REPOST", "VIEWS", "Item", "observe"]

POST: Final = 0
REPLY: Final = 1
REPOST: Final = 2
_KINDS = {"post": POST, "reply": REPLY, "repost": REPOST}

NOBODY: Final = 0
VIEWS: Final = 1
COMMUNITY: Final = 2
AUTHOR: Final = 3
LIKES: Final = 4
"""Where an item's audience is known from; ``NOBODY``: it is not."""


class Item(msgspec.Struct, array_like=True, gc=False):
    """One item, as last observed. Its fields are in the order of the encoding: new ones go to the end, with a default.

    ``covered_ms``: the earliest min(created, observed) of its observations. ``author``, ``community``, ``thread``: see
    :func:`scoring.identity.identity`, 0 where unknown or not needed. ``audience``: views, members, followers or
    likes, as ``source`` says. ``platform``: an index into the ledger's list.
    """

    key: int
    kind: int
    platform: int
    observed_ms: int
    covered_ms: int
    likes: int | None
    replies: int | None
    shares: int | None
    like_ratio: float | None
    source: int
    audience: int
    author: int
    community: int
    thread: int
    sentiment: Sentiment | None

    def precedence(self) -> tuple[bool, int, int, int, int, int, float, int]:
        """Return what decides between two observations of the same item: the larger one stands."""
        likes, replies, shares, ratio = self.likes, self.replies, self.shares, self.like_ratio
        return (
            likes is not None or replies is not None or shares is not None or self.source == VIEWS or ratio is not None,
            self.observed_ms,
            -1 if likes is None else likes,
            -1 if replies is None else replies,
            -1 if shares is None else shares,
            self.audience - self.source,
            -1.0 if ratio is None else ratio,
            -2 if self.sentiment is None else self.sentiment,
        )


def observe(signal: Signal, reading: Reading, platform: int) -> Item:
    """Return the item as this one observation shows it; ``platform``: the ledger's index for the signal's platform."""
    counts, author, community = signal.counts, signal.author, signal.community
    author_key = community_key = 0
    if author is not None and author.name is not None:
        author_key = identity(f"{signal.platform}:{author.name}")
    if counts.views is not None:
        source, audience = VIEWS, counts.views
    elif community is not None and community.members is not None and community.name is not None:
        source, audience = COMMUNITY, community.members
        community_key = identity(f"{signal.platform}:{community.name}")
    elif author_key and author is not None and author.followers is not None:
        source, audience = AUTHOR, author.followers
    elif counts.likes is not None:
        source, audience = LIKES, counts.likes
    else:
        source, audience = NOBODY, 0
    is_reply = signal.kind == "reply"
    return Item(
        key=identity(signal.id),
        kind=_KINDS[signal.kind],
        platform=platform,
        observed_ms=signal.observed_ms,
        covered_ms=min(signal.created_ms, signal.observed_ms),
        likes=counts.likes,
        replies=counts.replies,
        shares=counts.shares,
        like_ratio=counts.like_ratio,
        source=source,
        audience=audience,
        author=author_key,
        community=community_key,
        thread=identity(signal.thread) if is_reply else 0,
        sentiment=reading.sentiment if is_reply else None,
    )
