"""Bluesky's records into signals. Pure: no clock, no network, no memory.

Owns what each field of a record means (https://atproto.com/guides/lexicon, app.bsky.feed). Must never fetch.

- a post without ``reply`` is a post, also if it quotes another; one with it is a reply, in the thread of its ``root``;
- a repost is an item of its own, in the thread of the post that it passes on;
- ``title`` is the headline of the card below a post, ``url`` its address, else the first link, else the quoted post;
- ``createdAt`` is the client's word. A time later than when the network saw the post, or none, is that time;
- a name that is not known is the DID; it identifies the author for good, handles change;
- likes are ``likeCount``, replies ``replyCount``, shares ``repostCount`` and ``quoteCount`` together.
"""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from ingest.batch import Signals, errors_to_dead_letters, well_formed
from ingest.platforms.bluesky.addresses import (
    PLATFORM,
    POSTS,
    REPOSTS,
    author_of,
    id_of_post,
    named_ms,
    page_of,
    signal_id,
)
from ingest.platforms.bluesky.known import UNKNOWN, Known, Profile
from ingest.platforms.bluesky.rich_text import Facet, first_link, with_links
from ingest.signal import EARLIEST_MS, Author, Counts, Signal

T = TypeVar("T")
Count = Annotated[int, Meta(ge=0)]


class _Ref(msgspec.Struct):
    uri: str


class _Reply(msgspec.Struct):
    root: _Ref


class _Post(msgspec.Struct):
    """Fields of type ``object`` are lenient: other programs write anything there, and the post is still a post."""

    text: str = ""
    created: object = msgspec.field(name="createdAt", default=None)
    reply: _Reply | None = None
    embed: object = None
    facets: object = None
    langs: object = None


class _Repost(msgspec.Struct):
    subject: _Ref
    created: object = msgspec.field(name="createdAt", default=None)


class _Card(msgspec.Struct):
    uri: str = ""
    title: str = ""


class _Quoted(msgspec.Struct):
    """A quoted record; together with media it is one level further down."""

    uri: str = ""
    record: _Ref | None = None


class _Media(msgspec.Struct):
    external: _Card | None = None


class _Embed(msgspec.Struct):
    external: _Card | None = None
    record: _Quoted | None = None
    media: _Media | None = None

    @property
    def card(self) -> _Card:
        """The card of a link below the post."""
        return self.external or (self.media and self.media.external) or _Card()

    @property
    def quoted(self) -> str | None:
        """The id of the quoted post."""
        if self.record is None:
            return None
        return id_of_post(self.record.record.uri if self.record.record is not None else self.record.uri)


class _Commit(msgspec.Struct):
    collection: str
    rkey: str
    record: object


class _Event(msgspec.Struct):
    """An event of either wire: the first has a ``commit``, the second the fields of one."""

    did: str
    time_us: int | None = None
    time: datetime | None = None
    commit: _Commit | None = None
    collection: str = ""
    rkey: str = ""
    record: object = None


class _ViewAuthor(msgspec.Struct):
    did: str
    handle: str | None = None


class _View(msgspec.Struct):
    """A post as the AppView shows it."""

    uri: str
    author: _ViewAuthor
    record: _Post
    indexed: object = msgspec.field(name="indexedAt", default=None)
    likes: Count | None = msgspec.field(name="likeCount", default=None)
    replies: Count | None = msgspec.field(name="replyCount", default=None)
    reposts: Count | None = msgspec.field(name="repostCount", default=None)
    quotes: Count | None = msgspec.field(name="quoteCount", default=None)


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, author: Profile = UNKNOWN, thread: str | None = None) -> Signals:
    """Return what becomes of a commit of a post, a reply or a repost.

    ``raw``: the parsed event, of either wire. ``witnessed_ms``: when it arrived. ``author``: what is known of the
    author. ``thread``: of a repost, the thread of the item that it passes on; None if that is the root post.
    """
    event = msgspec.convert(raw, _Event)
    commit = event.commit or _Commit(event.collection, event.rkey, event.record)
    seen_ms = witnessed_ms if event.time_us is None else event.time_us // 1_000
    if event.time is not None:
        seen_ms = int(event.time.timestamp() * 1_000)
    seen_ms = min(seen_ms, witnessed_ms)
    id_ = signal_id(event.did, commit.rkey)
    if commit.collection == REPOSTS:
        repost = msgspec.convert(commit.record, _Repost)
        original = id_of_post(repost.subject.uri)
        if original is None or id_ == (thread or original):
            raise ValueError("a repost of no other post")
        return Signals([_repost(id_, thread or original, author, _created_ms(repost.created, seen_ms), witnessed_ms)])
    if commit.collection != POSTS:
        raise ValueError(f"collection {commit.collection!r} holds no posts")
    post = msgspec.convert(commit.record, _Post)
    return Signals([_post(id_, post, author, Counts(), seen_ms=seen_ms, witnessed_ms=witnessed_ms)])


@errors_to_dead_letters
def convert_view(raw: object, witnessed_ms: int, followers: int | None = None) -> Signals:
    """Return what becomes of a post as the AppView shows it, with its counts. ``followers``: of its author."""
    view = msgspec.convert(raw, _View)
    id_ = id_of_post(view.uri)
    if id_ is None or author_of(id_) != view.author.did:
        raise ValueError(f"uri {view.uri[:200]!r} is no post of its author")
    shares = [number for number in (view.reposts, view.quotes) if number is not None]
    counts = Counts(likes=view.likes, replies=view.replies, shares=sum(shares) if shares else None)
    seen_ms = min(_claimed_ms(view.indexed) or witnessed_ms, witnessed_ms)
    author = Profile(view.author.handle, followers)
    return Signals([_post(id_, view.record, author, counts, seen_ms=seen_ms, witnessed_ms=witnessed_ms)])


def quoted_post(raw: object) -> str | None:
    """Return the id of the post that a commit quotes, which :func:`convert` has made a signal."""
    event = msgspec.convert(raw, _Event)
    record = event.record if event.commit is None else event.commit.record
    embed = _lenient(msgspec.convert(record, _Post).embed, _Embed)
    return None if embed is None else embed.quoted


def deletion(known: Known, witnessed_ms: int) -> Signal:
    """Return the signal that an item was taken back."""
    created_ms = known.created_ms or named_ms(known.id.rpartition("/")[2]) or witnessed_ms
    return Signal(
        id=known.id,
        kind=known.kind,
        platform=PLATFORM,
        thread=known.thread,
        created_ms=max(EARLIEST_MS, min(created_ms, witnessed_ms)),
        observed_ms=witnessed_ms,
        deleted=True,
    )


def _post(id_: str, post: _Post, author: Profile, counts: Counts, *, seen_ms: int, witnessed_ms: int) -> Signal:
    thread = id_
    if post.reply is not None:
        root = id_of_post(post.reply.root.uri)
        if root is None or root == id_:
            raise ValueError("a reply to no other post")
        thread = root
    embed = _lenient(post.embed, _Embed) or _Embed()
    facets = _lenient(post.facets, list[Facet]) or []
    langs = _lenient(post.langs, list[str]) or []
    quoted = embed.quoted
    url = embed.card.uri or first_link(facets) or (page_of(quoted) if quoted is not None else None)
    return Signal(
        id=id_,
        kind="post" if thread == id_ else "reply",
        platform=PLATFORM,
        thread=thread,
        author=_author(id_, author),
        title=well_formed(embed.card.title) or None,
        text=with_links(well_formed(post.text), facets) or None,
        url=well_formed(url) if url else None,
        permalink=page_of(id_),
        lang=well_formed(langs[0]) if langs else None,
        counts=counts,
        created_ms=_created_ms(post.created, seen_ms),
        observed_ms=witnessed_ms,
    )


def _repost(id_: str, thread: str, author: Profile, created_ms: int, witnessed_ms: int) -> Signal:
    return Signal(
        id=id_,
        kind="repost",
        platform=PLATFORM,
        thread=thread,
        author=_author(id_, author),
        created_ms=created_ms,
        observed_ms=witnessed_ms,
    )


def _author(id_: str, profile: Profile) -> Author:
    return Author(name=well_formed(profile.handle or author_of(id_)), followers=profile.followers)


def _created_ms(claim: object, seen_ms: int) -> int:
    """Return when an item was made: as its client says, but no later than when the network saw it."""
    claimed_ms = _claimed_ms(claim)
    return seen_ms if claimed_ms is None else max(EARLIEST_MS, min(claimed_ms, seen_ms))


def _claimed_ms(claim: object) -> int | None:
    """Return the time in ``claim``, in UTC if it names no zone; None if that is no time."""
    if not isinstance(claim, str):
        return None
    try:
        time = datetime.fromisoformat(claim)
        return int((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


def _lenient(raw: object, kind: type[T]) -> T | None:
    """Return ``raw`` as a ``kind``; None if it is something else."""
    try:
        return None if raw is None else msgspec.convert(raw, kind)
    except (msgspec.ValidationError, RecursionError):
        return None
