"""Tally: what a set of items adds up to.

Owns the sums over items: interactions and items by platform, distinct authors, the audience. Must never know which
window the items come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from scoring.item import AUTHOR, COMMUNITY, LIKES, NOBODY, VIEWS, Item
from scoring.settings import DEFAULT, Settings

__all__ = ["PlatformSum", "Tally", "tally"]


class PlatformSum(msgspec.Struct, gc=False):
    """What is counted on one platform; ``replies``: of each item the larger of its counter and the replies seen."""

    items: int = 0
    likes: int = 0
    replies: int = 0
    shares: int = 0

    def interactions(self, settings: Settings = DEFAULT) -> int:
        """Return likes + 2·replies + 3·shares, by the weights of ``settings``."""
        return (
            settings.interactions_per_like * self.likes
            + settings.interactions_per_reply * self.replies
            + settings.interactions_per_share * self.shares
        )


class Tally(msgspec.Struct):
    """What a set of items adds up to.

    ``views``, ``members``, ``followers``: the audience by where it is known from, in people; ``likes``: by platform,
    those of the items of which nothing else is known.
    """

    platforms: dict[str, PlatformSum]
    authors: int
    views: int
    members: int
    followers: int
    likes: dict[str, int]

    @property
    def items(self) -> int:
        """Items on all platforms."""
        return sum(platform.items for platform in self.platforms.values())

    def audience(self, settings: Settings = DEFAULT) -> float:
        """Return the estimated audience A, in people."""
        rates, other = settings.views_per_like, settings.other_views_per_like
        return (
            self.views
            + settings.views_per_member * self.members
            + settings.views_per_follower * self.followers
            + sum(rates.get(platform, other) * likes for platform, likes in sorted(self.likes.items()))
        )


def tally(items: Iterable[Item], platforms: Sequence[str], replies_seen: Mapping[int, int]) -> Tally:
    """Add up ``items``; ``replies_seen``: replies seen by key of the item they answer.

    A community or an author counts once, with the size last observed (of two at once, the larger).
    """
    sums: dict[int, PlatformSum] = {}
    authors: set[int] = set()
    communities: dict[int, tuple[int, int]] = {}
    followings: dict[int, tuple[int, int]] = {}
    views = 0
    likes: dict[str, int] = {}
    for item in items:
        platform = sums.get(item.platform)
        if platform is None:
            platform = sums[item.platform] = PlatformSum()
        platform.items += 1
        if item.likes is not None:
            platform.likes += item.likes
        if item.shares is not None:
            platform.shares += item.shares
        platform.replies += max(item.replies or 0, replies_seen.get(item.key, 0))
        if item.author:
            authors.add(item.author)
        source = item.source
        if source == NOBODY:
            continue
        if source == VIEWS:
            views += item.audience
        elif source == COMMUNITY:
            size = (item.observed_ms, item.audience)
            if size > communities.get(item.community, (0, 0)):
                communities[item.community] = size
        elif source == AUTHOR:
            size = (item.observed_ms, item.audience)
            if size > followings.get(item.author, (0, 0)):
                followings[item.author] = size
        elif source == LIKES:
            name = platforms[item.platform]
            likes[name] = likes.get(name, 0) + item.audience
    return Tally(
        platforms={platforms[index]: platform for index, platform in sums.items()},
        authors=len(authors),
        views=views,
        members=sum(size for _, size in communities.values()),
        followers=sum(size for _, size in followings.values()),
        likes=likes,
    )
