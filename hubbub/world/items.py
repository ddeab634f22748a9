"""Items: what exists in a world, whatever platform serves it.

Owns posts, replies, reposts, communities and stories, and which of them exist at a given time. Must never know a
platform's wire format, nor what time it is: every method takes ``now_ms``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hubbub.world.growth import Grown, Observed, Totals


class Removal(StrEnum):
    """How an item was removed: by its author, or by the platform (Reddit's moderators; Hacker News: "dead")."""

    DELETED = "deleted"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Community:
    """A place of a platform: a subreddit, a channel, a news site. ``members``: its stated size, None where unknown."""

    name: str
    members: int | None
    created_ms: int
    platform: str = "reddit"


@dataclass(slots=True, eq=False, kw_only=True)
class Item:
    """What posts, replies and reposts share. ``native``: the platform's own id, whole (on Reddit, the fullname).

    ``followers``: of the author, None where the platform states none.
    ``appears_ms``: when the platform begins to show it, at or after ``created_ms`` (queues, spam filters, caches).
    ``gone_ms``: when it was removed, None if never.
    """

    platform: str
    native: str
    author: str | None
    text: str
    created_ms: int
    appears_ms: int
    votes: Grown | Observed
    followers: int | None = None
    gone_ms: int | None = None
    removal: Removal | None = None
    replies: list[Reply] = field(default_factory=list, repr=False)
    """The direct replies, in order of appearance."""

    @property
    def signal_id(self) -> str:
        """The id of the signals that observe this item."""
        return f"{self.platform}:{self.native}"

    def there(self, now_ms: int) -> bool:
        """True once the platform shows the item, removed or not."""
        return self.appears_ms <= now_ms

    def gone(self, now_ms: int) -> bool:
        """True once the item was removed; the platform decides what it still shows of it."""
        return self.gone_ms is not None and self.gone_ms <= now_ms


@dataclass(slots=True, eq=False, kw_only=True)
class Post(Item):
    """A root item. ``url``: the link it is about, None for a text post; ``story``: None for chatter.

    ``title``: empty on platforms whose posts have none. ``reposts``: in order of appearance; None on a platform
    that does not show them.
    """

    title: str
    url: str | None = None
    community: str | None = None
    crosspost_of: Post | None = None
    story: str | None = None
    thread: list[Reply] = field(default_factory=list, repr=False)
    """Every reply of its tree, in order of appearance."""
    reposts: list[Repost] | None = field(default=None, repr=False)

    def totals(self, now_ms: int) -> Totals:
        """Return the post's totals at ``now_ms``."""
        totals = self.votes.at(now_ms)
        if totals.replies is None:
            totals = totals._replace(replies=_shown(self.thread, now_ms))
        if totals.shares is None and self.reposts is not None:
            totals = totals._replace(shares=_shown(self.reposts, now_ms))
        return totals

    def add(self, reply: Reply) -> None:
        """Add a reply to this post's tree; replies must come in order of appearance."""
        self.thread.append(reply)
        reply.parent.replies.append(reply)


@dataclass(slots=True, eq=False, kw_only=True)
class Reply(Item):
    """A comment. ``parent``: the post or reply that it answers. ``mood``: -1, 0 or 1, as the world means it."""

    post: Post
    parent: Post | Reply
    mood: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class Repost(Item):
    """A post that another account passes on unchanged."""

    post: Post


AnyItem = Post | Reply | Repost


def root_of(item: AnyItem) -> Post:
    """Return the post that an item is, or is below."""
    return item if isinstance(item, Post) else item.post


def _shown(items: Sequence[Item], now_ms: int) -> int:
    """Return how many of the ``items``, which are in order of appearance, have appeared."""
    return bisect_right(items, now_ms, key=lambda item: item.appears_ms)


@dataclass(frozen=True, slots=True)
class Wave:
    """A burst of posts about a story. ``sharp``: it begins at once, so that a detector should fire at its start."""

    start_ms: int
    posts: int
    sharp: bool


@dataclass(frozen=True, slots=True)
class Story:
    """A story as the world knows it, with its posts."""

    id: str
    title: str
    onset_ms: int
    waves: tuple[Wave, ...]
    posts: tuple[Post, ...]
