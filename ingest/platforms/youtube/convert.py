"""YouTube's videos and comments into signals. Pure: no clock, no network, no memory.

Owns what each field means (https://developers.google.com/youtube/v3/docs). Must never fetch.

- a video is a post in the community of its channel. ``viewCount`` is views, ``likeCount`` likes, ``commentCount``
  replies. A count that the channel hides is absent and unknown;
- a comment, and an answer to one, is a reply in the thread of the video;
- in feeds a video has the same form (``atom.py``), with its views alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ingest.batch import Signals, Unreadable, errors_to_dead_letters, well_formed
from ingest.fields import clamped_ms, count_of, text_of, utc_ms
from ingest.signal import Author, Community, Counts, Signal

PLATFORM: Final = "youtube"
PERMALINK: Final = "https://www.youtube.com/watch?v="

_is_id = re.compile(r"[A-Za-z0-9_-]{5,64}").fullmatch
_is_comment_id = re.compile(r"[A-Za-z0-9_.-]{5,128}").fullmatch


class _VideoSnippet(msgspec.Struct):
    publishedAt: str  # noqa: N815 (the names are YouTube's)
    channelId: str | None = None  # noqa: N815
    channelTitle: str | None = None  # noqa: N815
    title: str | None = None
    description: str | None = None
    defaultLanguage: str | None = None  # noqa: N815
    defaultAudioLanguage: str | None = None  # noqa: N815


class _Statistics(msgspec.Struct):
    viewCount: int | str | None = None  # noqa: N815
    likeCount: int | str | None = None  # noqa: N815
    commentCount: int | str | None = None  # noqa: N815


class _Video(msgspec.Struct):
    id: str
    snippet: _VideoSnippet
    statistics: _Statistics | None = None


class _CommentSnippet(msgspec.Struct):
    publishedAt: str  # noqa: N815
    videoId: str  # noqa: N815
    authorDisplayName: str | None = None  # noqa: N815
    textOriginal: str | None = None  # noqa: N815
    textDisplay: str | None = None  # noqa: N815
    likeCount: int | str | None = None  # noqa: N815


class _Comment(msgspec.Struct):
    id: str
    snippet: _CommentSnippet


class _Kind(msgspec.Struct):
    kind: str


Members = Mapping[str, int | None]
"""Subscribers by the id of a channel; None if the channel hides them."""
UNKNOWN_MEMBERS: Final[Members] = MappingProxyType({})


def signal_id(native: str) -> str:
    """Return the id of the signals for the video or comment ``native``."""
    return f"{PLATFORM}:{native}"


def native_id(id_: str) -> str:
    """Return YouTube's id of what a signal observes."""
    return id_.removeprefix(f"{PLATFORM}:")


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, members: Members = UNKNOWN_MEMBERS) -> Signals:
    """Return what becomes of a video or a comment.

    ``witnessed_ms``: when it arrived. ``members``: the subscribers of channels, as far as they are known.
    """
    kind = msgspec.convert(raw, _Kind).kind
    match kind:
        case "youtube#video":
            return Signals([_video(msgspec.convert(raw, _Video), witnessed_ms, members)])
        case "youtube#comment":
            return Signals([_comment(msgspec.convert(raw, _Comment), witnessed_ms)])
    return Signals(unreadable=[Unreadable.of(raw, "unknown_kind", f"kind {kind[:40]!r}")])


def _video(video: _Video, witnessed_ms: int, members: Members) -> Signal:
    if not _is_id(video.id):
        raise ValueError(f"{video.id[:40]!r} is no id of a video")
    snippet, counts = video.snippet, video.statistics or _Statistics()
    id_ = signal_id(video.id)
    channel = text_of(snippet.channelTitle)
    lang = snippet.defaultAudioLanguage or snippet.defaultLanguage
    return Signal(
        id=id_,
        kind="post",
        platform=PLATFORM,
        thread=id_,
        author=Author(name=channel) if channel else None,
        community=Community(name=channel, members=members.get(snippet.channelId or "")) if channel else None,
        title=text_of(snippet.title),
        text=text_of(snippet.description),
        permalink=f"{PERMALINK}{video.id}",
        lang=text_of(lang),
        counts=Counts(likes=count(counts.likeCount), replies=count(counts.commentCount), views=count(counts.viewCount)),
        created_ms=clamped_ms(utc_ms(snippet.publishedAt), witnessed_ms),
        observed_ms=witnessed_ms,
    )


def _comment(comment: _Comment, witnessed_ms: int) -> Signal:
    snippet = comment.snippet
    if not _is_comment_id(comment.id) or not _is_id(snippet.videoId):
        raise ValueError(f"{comment.id[:40]!r} is no id of a comment")
    text = snippet.textOriginal or snippet.textDisplay
    name = snippet.authorDisplayName
    return Signal(
        id=signal_id(comment.id),
        kind="reply",
        platform=PLATFORM,
        thread=signal_id(snippet.videoId),
        author=Author(name=well_formed(name)) if name else None,
        text=text_of(text),
        permalink=f"{PERMALINK}{snippet.videoId}&lc={comment.id}",
        counts=Counts(likes=count(snippet.likeCount)),
        created_ms=clamped_ms(utc_ms(snippet.publishedAt), witnessed_ms),
        observed_ms=witnessed_ms,
    )


def count(number: int | str | None) -> int | None:
    """Return a count, which YouTube writes as a text. Raises ValueError if it is none.

    >>> count("12"), count(None)
    (12, None)
    """
    if isinstance(number, str):
        if not number.isdecimal() or len(number) > 16:
            raise ValueError(f"{number[:20]!r} is no count")
        number = int(number)
    return count_of(number)
