"""Lemmy's views into signals. Pure: no clock, no network, no memory.

Owns what each field of a view means, in API v3 (Lemmy 0.18 and 0.19) and v4 (Lemmy 1.0). The types are in
https://github.com/LemmyNet/lemmy-js-client. Must never fetch.

- A view holds the post, its creator and its community; the view of a comment holds the comment as well.
- ``ap_id`` is the item's address on the instance where it was written, and so the same on every instance.
- v3 has ``published``, ``actor_id`` and a ``counts`` beside the item. v4 has ``published_at`` and ``ap_id``, and the
  counts are fields of the item.
- Up-votes are likes. Where an instance allows no down-votes the ratio is unknown.
- Deleted by its author or removed by moderators: no words, link or author; the counts still count.
"""

from collections.abc import Mapping
from hashlib import sha256
from string import ascii_letters, digits, punctuation
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from ingest.batch import Signals, errors_to_dead_letters, well_formed
from ingest.fields import count_of, text_of, utc_ms
from ingest.signal import Author, Community, Counts, Signal

PLATFORM = "lemmy"
MAX_NATIVE_CHARS: Final = 480
"""Longest native id; a longer one, of other software that federates, is replaced by a digest."""
_PRINTABLE: Final = ascii_letters + digits + punctuation


class Facts(NamedTuple):
    """What views do not say, and an instance does elsewhere.

    ``languages``: codes by number. ``members``: of communities, by full name. ``down_votes``: whether they are allowed.
    """

    languages: Mapping[int, str] = MappingProxyType({})
    members: Mapping[str, int | None] = MappingProxyType({})
    down_votes: bool = True


NO_FACTS: Final = Facts()


class _Actor(msgspec.Struct):
    """A person or a community. ``actor_id`` in v3 is ``ap_id`` in v4."""

    name: str | None = None
    actor_id: str | None = None
    ap_id: str | None = None
    subscribers: int | None = None


class _Counts(msgspec.Struct):
    score: int | None = None
    upvotes: int | None = None
    downvotes: int | None = None
    comments: int | None = None


class _Item(_Counts):
    """A post or a comment. A post has ``name`` and ``body``, a comment ``content``."""

    ap_id: str = ""
    name: str | None = None
    url: str | None = None
    body: str | None = None
    content: str | None = None
    published: str | None = None
    published_at: str | None = None
    language_id: int | None = None
    deleted: bool = False
    removed: bool = False


class _View(msgspec.Struct):
    post: _Item
    comment: _Item | None = None
    creator: _Actor | None = None
    community: _Actor | None = None
    counts: _Counts | None = None


def signal_id(ap_id: str) -> str:
    """Return the id of the signal for the item at ``ap_id``.

    >>> signal_id("https://Lemmy.World/post/7")
    'lemmy:lemmy.world/post/7'

    Raises:
        ValueError: it is no address.
    """
    scheme, _, rest = ap_id.partition("://")
    host, _, path = rest.partition("/")
    if scheme.lower() not in {"http", "https"} or not host:
        raise ValueError(f"ap_id {ap_id[:100]!r} is no address")
    native = quote(f"{host.lower()}/{path}", safe=_PRINTABLE)
    if len(native) > MAX_NATIVE_CHARS:
        native = f"{native[:100]}~{sha256(native.encode()).hexdigest()}"
    return f"{PLATFORM}:{native}"


def full_name(name: object, address: object) -> str | None:
    """Return ``name@host`` of a person or community; only the name if the address is none; None without a name."""
    if not isinstance(name, str) or not name:
        return None
    host = address.partition("://")[2].partition("/")[0].lower() if isinstance(address, str) else ""
    return well_formed(f"{name}@{host}" if host else name)


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, facts: Facts = NO_FACTS) -> Signals:
    """Return what becomes of one post or comment. ``raw``: its view, as parsed JSON. ``witnessed_ms``: its arrival."""
    view = msgspec.convert(raw, _View)
    item = view.post if view.comment is None else view.comment
    published = item.published_at or item.published
    if published is None:
        raise ValueError("no time")
    gone = item.deleted or item.removed
    text = item.body if view.comment is None else item.content
    return Signals(
        [
            Signal(
                id=signal_id(item.ap_id),
                kind="post" if view.comment is None else "reply",
                platform=PLATFORM,
                thread=signal_id(view.post.ap_id),
                author=None if gone else _author(view.creator),
                community=_community(view.community, facts),
                title=None if gone or view.comment is not None else text_of(item.name),
                text=None if gone else text_of(text),
                url=None if gone or view.comment is not None else text_of(item.url),
                permalink=well_formed(item.ap_id),
                lang=_language(item.language_id, facts),
                counts=_counts(item if view.counts is None else view.counts, facts),
                created_ms=min(utc_ms(published), witnessed_ms),
                observed_ms=witnessed_ms,
                deleted=gone,
            )
        ]
    )


def _author(person: _Actor | None) -> Author | None:
    name = None if person is None else full_name(person.name, person.ap_id or person.actor_id)
    return Author(name=name) if name else None


def _community(place: _Actor | None, facts: Facts) -> Community | None:
    name = None if place is None else full_name(place.name, place.ap_id or place.actor_id)
    if place is None or name is None:
        return None
    members = facts.members.get(name) if place.subscribers is None else place.subscribers
    return Community(name=name, members=count_of(members))


def _counts(counts: _Counts, facts: Facts) -> Counts:
    up, down = counts.upvotes, counts.downvotes
    ratio = None
    if up is not None and down is not None and facts.down_votes and up >= 0 and down >= 0 and up + down > 0:
        ratio = up / (up + down)
    return Counts(
        likes=count_of(counts.score if up is None else up), replies=count_of(counts.comments), like_ratio=ratio
    )


def _language(number: int | None, facts: Facts) -> str | None:
    return None if number is None else facts.languages.get(number)
