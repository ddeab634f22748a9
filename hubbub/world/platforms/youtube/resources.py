"""YouTube's resources and feeds, as the Data API v3 and the channels' feeds show them.

Owns their JSON and XML. Pure: items and a time in, plain objects out. Must never know HTTP. Sources:
https://developers.google.com/youtube/v3/docs, and feeds of channels.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from hubbub.world.items import Community, Item, Post, Reply

Resource = dict[str, object]

ATOM = "{http://www.w3.org/2005/Atom}"
VIDEO = "{http://www.youtube.com/xml/schemas/2015}"
MEDIA = "{http://search.yahoo.com/mrss/}"
_not_xml = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:yt="http://www.youtube.com/xml/schemas/2015"'
    ' xmlns:media="http://search.yahoo.com/mrss/"'
)


def iso(at_ms: int) -> str:
    """Return a time as YouTube writes it, in whole seconds.

    >>> iso(1_700_000_000_123)
    '2023-11-14T22:13:20Z'
    """
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def channel_id(name: str | None) -> str:
    """Return the id of the channel ``name``."""
    return "UC" + urlsafe_b64encode(sha256((name or "").lower().encode()).digest()).decode()[:22]


def listing(kind: str, items: Sequence[Resource], next_token: str | None = None) -> Resource:
    """Return a page of a list."""
    page: Resource = {"kind": f"youtube#{kind}ListResponse", "etag": "e", "items": list(items)}
    if next_token is not None:
        page["nextPageToken"] = next_token
    return page | {"pageInfo": {"totalResults": len(items), "resultsPerPage": len(items)}}


def channel(community: Community) -> Resource:
    """Return a channel."""
    statistics: Resource = {"viewCount": "1", "hiddenSubscriberCount": community.members is None, "videoCount": "1"}
    if community.members is not None:
        statistics["subscriberCount"] = str(community.members)
    return {"kind": "youtube#channel", "etag": "e", "id": channel_id(community.name), "statistics": statistics}


def video(post: Post, now_ms: int) -> Resource:
    """Return a video. A count that the channel hides is absent."""
    totals = post.totals(now_ms)
    counts = {"viewCount": totals.views, "likeCount": totals.likes, "commentCount": totals.replies}
    return {
        "kind": "youtube#video",
        "etag": "e",
        "id": post.native,
        "snippet": {
            "publishedAt": iso(post.created_ms),
            "channelId": channel_id(post.community),
            "title": post.title,
            "description": post.text,
            "channelTitle": post.community or "",
            "liveBroadcastContent": "none",
        },
        "statistics": {name: str(max(0, number)) for name, number in counts.items() if number is not None},
    }


def thread(reply: Reply, answers: Sequence[Reply], now_ms: int) -> Resource:
    """Return a comment to a video, and the first five ``answers`` to it."""
    found: Resource = {
        "kind": "youtube#commentThread",
        "etag": "e",
        "id": reply.native,
        "snippet": {
            "videoId": reply.post.native,
            "topLevelComment": _comment(reply, now_ms),
            "canReply": True,
            "totalReplyCount": len(answers),
            "isPublic": True,
        },
    }
    if answers:
        found["replies"] = {"comments": [_comment(answer, now_ms) for answer in answers[:5]]}
    return found


def _comment(reply: Reply, now_ms: int) -> Resource:
    return {
        "kind": "youtube#comment",
        "etag": "e",
        "id": reply.native,
        "snippet": {
            "videoId": reply.post.native,
            "textDisplay": reply.text,
            "textOriginal": reply.text,
            "authorDisplayName": f"@{reply.author}",
            "authorChannelId": {"value": channel_id(reply.author)},
            "canRate": True,
            "viewerRating": "none",
            "likeCount": max(0, reply.votes.at(now_ms).likes or 0),
            "publishedAt": iso(reply.created_ms),
            "updatedAt": iso(reply.created_ms),
        },
    }


def feed_of(videos: Sequence[Resource]) -> bytes:
    """Return videos as the feed of a channel: it shows the views alone, and no control characters."""
    entries = "".join(map(_entry, videos))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<feed {NAMESPACES}>{entries}</feed>'.encode(errors="replace")


def videos_of(feed: bytes) -> list[Resource]:
    """Return the videos of a feed that :func:`feed_of` has made."""
    found: list[Resource] = []
    for entry in ElementTree.fromstring(feed).iter(f"{ATOM}entry"):  # noqa: S314 (our own feed)
        snippet: Resource = {
            "publishedAt": entry.findtext(f"{ATOM}published"),
            "channelId": entry.findtext(f"{VIDEO}channelId"),
            "title": entry.findtext(f"{ATOM}title"),
            "description": entry.findtext(f".//{MEDIA}description"),
            "channelTitle": entry.findtext(f"{ATOM}author/{ATOM}name"),
        }
        shown: Resource = {"kind": "youtube#video", "id": entry.findtext(f"{VIDEO}videoId")}
        shown["snippet"] = {name: text for name, text in snippet.items() if text is not None}
        if (statistics := entry.find(f".//{MEDIA}statistics")) is not None:
            shown["statistics"] = {"viewCount": statistics.get("views")}
        found.append(shown)
    return found


def _entry(resource: Resource) -> str:
    snippet, statistics = resource.get("snippet"), resource.get("statistics")
    fields = snippet if isinstance(snippet, dict) else {}
    counts = statistics if isinstance(statistics, dict) else {}
    views = f"<media:statistics views={quoteattr(_plain(counts['viewCount']))}/>" if "viewCount" in counts else ""
    return (
        "<entry>"
        + _element("yt:videoId", resource.get("id"))
        + _element("yt:channelId", fields.get("channelId"))
        + _element("title", fields.get("title"))
        + ("<author>" + _element("name", fields.get("channelTitle")) + "</author>")
        + _element("published", fields.get("publishedAt"))
        + ("<media:group>" + _element("media:description", fields.get("description")))
        + f"<media:community>{views}</media:community></media:group></entry>"
    )


def _element(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(_plain(value))}</{name}>"


def _plain(value: object) -> str:
    """Return a value as text, without the characters that XML cannot carry."""
    return "".join(
        c for c in str(value) if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c < "\ufffe")
    )


def is_shown(item: Item, now_ms: int) -> bool:
    """Return whether YouTube shows an item: it is there, and neither deleted nor removed."""
    return item.there(now_ms) and not item.gone(now_ms)
