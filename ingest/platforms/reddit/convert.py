"""Reddit's things into signals. Pure: no clock, no network, no memory.

Owns what each field of a thing means (https://www.reddit.com/dev/api). Must never fetch.

- t3, a submission, is a post: ``score`` is likes, ``num_comments`` replies, ``upvote_ratio`` the ratio;
- a crosspost is a post of its own with the link of the first one, so shares stay unknown and are not counted twice;
- t1, a comment, is a reply in the thread of its ``link_id``; while its score is hidden, its likes are unknown;
- deleted or removed: a signal with ``deleted`` and no words, so that its counts still count. It is ignored if the post
  or comment was never published. An author who left Reddit becomes None, and takes nothing back;
- promoted submissions are advertisements and ignored.
"""

import math
import re
from collections import Counter
from urllib.parse import urljoin

import msgspec

from ingest.batch import Ignored, Signals, Unreadable, errors_to_dead_letters, well_formed
from ingest.fields import count_of, text_of
from ingest.signal import Author, Community, Counts, Signal

PLATFORM = "reddit"
SITE = "https://www.reddit.com/"
GONE_AUTHOR = "[deleted]"
GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ Removed by Reddit ]")
"""What Reddit shows for words that were taken back."""
_is_post_name = re.compile(r"t3_[A-Za-z0-9]{1,28}").fullmatch


class _Original(msgspec.Struct):
    """The submission that a crosspost repeats."""

    url: str | None = None


class _Submission(msgspec.Struct):
    name: str
    created_utc: float
    title: str
    author: str | None = None
    subreddit: str | None = None
    subreddit_subscribers: int | None = None
    is_self: bool = False
    selftext: str | None = None
    url: str | None = None
    permalink: str | None = None
    score: int | None = None
    num_comments: int | None = None
    upvote_ratio: float | None = None
    view_count: int | None = None
    promoted: bool | None = None
    removed_by_category: str | None = None
    crosspost_parent_list: list[_Original] | None = None


class _Comment(msgspec.Struct):
    name: str
    link_id: str
    created_utc: float
    author: str | None = None
    subreddit: str | None = None
    body: str | None = None
    permalink: str | None = None
    score: int | None = None
    score_hidden: bool | None = None


class _Thing(msgspec.Struct):
    kind: str
    data: dict[str, object]


def signal_id(fullname: str) -> str:
    """Return the id of the signal for the thing ``fullname``, such as ``t3_18wuc1r``."""
    return f"{PLATFORM}:{fullname}"


def fullname(raw: object) -> str | None:
    """Return the thing's name, such as ``t3_18wuc1r``; None if it has none."""
    name = _field(raw, "name")
    return name if isinstance(name, str) else None


def link_id(raw: object) -> str | None:
    """Return the fullname of the post that a comment is in; None for any other thing, and if it is no name."""
    link = _field(raw, "link_id")
    return link if isinstance(link, str) and _is_post_name(link) else None


def created_ms(raw: object) -> float:
    """Return when the thing was created; infinity if it does not say, so that it is read and then rejected."""
    created = _field(raw, "created_utc")
    return created * 1000 if isinstance(created, int | float) and abs(created) < math.inf else math.inf


def is_taken_back(raw: object) -> bool:
    """Return whether the thing shows that its author deleted it, or that it was removed."""
    return bool(_field(raw, "removed_by_category")) or any(
        _field(raw, name) in GONE for name in ("title", "selftext", "body")
    )


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, published: bool = False) -> Signals:
    """Return what becomes of one thing.

    ``raw``: the parsed JSON, ``{"kind": "t3", "data": {…}}``. ``witnessed_ms``: when it arrived. ``published``: whether
    a signal of it was published before, which a deletion takes back.
    """
    thing = msgspec.convert(raw, _Thing)
    deleted = is_taken_back(raw)
    if thing.kind == "t3":
        submission = msgspec.convert(thing.data, _Submission)
        if submission.promoted:
            return Signals(ignored=Counter([Ignored.ADVERT]))
        found = _submission(submission, witnessed_ms, deleted)
    elif thing.kind == "t1":
        found = _comment(msgspec.convert(thing.data, _Comment), witnessed_ms, deleted)
    else:
        return Signals(unreadable=[Unreadable.of(raw, "unknown_kind", f"kind {thing.kind!r}")])
    return Signals(ignored=Counter([Ignored.DELETED])) if deleted and not published else Signals([found])


def _field(raw: object, name: str) -> object:
    data = raw.get("data") if isinstance(raw, dict) else None
    return data.get(name) if isinstance(data, dict) else None


def _submission(thing: _Submission, witnessed_ms: int, deleted: bool) -> Signal:
    url = thing.url
    if thing.crosspost_parent_list and thing.crosspost_parent_list[0].url:
        url = thing.crosspost_parent_list[0].url
    return Signal(
        id=signal_id(thing.name),
        kind="post",
        platform=PLATFORM,
        thread=signal_id(thing.name),
        author=None if deleted else _author(thing.author),
        community=_community(thing.subreddit, thing.subreddit_subscribers),
        title=None if deleted else well_formed(thing.title),
        text=None if deleted else text_of(thing.selftext),
        # The url of a text post is its own permalink, and no page to follow.
        url=None if deleted or thing.is_self else _link(url),
        permalink=None if deleted else _link(thing.permalink),  # it holds words of the title
        counts=Counts(
            likes=count_of(thing.score),
            replies=count_of(thing.num_comments),
            views=count_of(thing.view_count),
            like_ratio=thing.upvote_ratio,
        ),
        created_ms=int(thing.created_utc * 1000),
        observed_ms=witnessed_ms,
        deleted=deleted,
    )


def _comment(thing: _Comment, witnessed_ms: int, deleted: bool) -> Signal:
    return Signal(
        id=signal_id(thing.name),
        kind="reply",
        platform=PLATFORM,
        thread=signal_id(thing.link_id),
        author=None if deleted else _author(thing.author),
        community=_community(thing.subreddit, None),
        text=None if deleted else text_of(thing.body),
        permalink=None if deleted else _link(thing.permalink),
        counts=Counts(likes=None if thing.score_hidden else count_of(thing.score)),
        created_ms=int(thing.created_utc * 1000),
        observed_ms=witnessed_ms,
        deleted=deleted,
    )


def _author(name: str | None) -> Author | None:
    return Author(name=well_formed(name)) if name and name != GONE_AUTHOR else None


def _community(name: str | None, members: int | None) -> Community | None:
    return Community(name=well_formed(name), members=count_of(members)) if name else None


def _link(url: str | None) -> str | None:
    try:
        return well_formed(urljoin(SITE, url)) if url else None
    except ValueError:  # no URL at all, such as "http://[::1"; the post is valid without
        return None
