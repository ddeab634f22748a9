"""The records and views of a simulated Bluesky.

Owns how an item looks in a repository (``app.bsky.feed.post``, ``app.bsky.feed.repost``) and on the AppView. Must never
know a route or a wire.
"""

from datetime import UTC, datetime
from hashlib import sha256

from hubbub.world.items import AnyItem, Post, Reply, Repost

POSTS = "app.bsky.feed.post"
REPOSTS = "app.bsky.feed.repost"


def write_time(at_ms: int) -> str:
    """Return a time as clients write it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def names(item: AnyItem) -> tuple[str, str, str]:
    """Return the DID, the collection and the record key of an item."""
    did, _, rkey = item.native.partition("/")
    return did, REPOSTS if isinstance(item, Repost) else POSTS, rkey


def cid(item: AnyItem) -> str:
    """Return a made-up content id."""
    return "bafyrei" + sha256(item.native.encode()).hexdigest()[:52]


def record(item: AnyItem) -> dict[str, object]:
    """Return the record of an item."""
    if isinstance(item, Repost):
        return {"$type": REPOSTS, "createdAt": write_time(item.created_ms), "subject": _reference(item.post)}
    written: dict[str, object] = {
        "$type": POSTS,
        "createdAt": write_time(item.created_ms),
        "langs": ["en"],
        "text": item.text,
    }
    if isinstance(item, Reply):
        written["reply"] = {"root": _reference(item.post), "parent": _reference(item.parent)}
    elif item.url is not None:
        written["embed"] = {
            "$type": "app.bsky.embed.external",
            "external": {"uri": item.url, "title": item.text.partition("\n")[0], "description": ""},
        }
    return written


def view(item: Post | Reply, now_ms: int) -> dict[str, object]:
    """Return a post as the AppView shows it, with its counts."""
    did, _, _ = names(item)
    shown: dict[str, object] = {
        "uri": _uri(item),
        "cid": cid(item),
        "author": {"did": did, "handle": item.author or "handle.invalid"},
        "record": record(item),
        "indexedAt": write_time(item.appears_ms),
        "labels": [],
        "quoteCount": 0,
    }
    totals = item.totals(now_ms) if isinstance(item, Post) else item.votes.at(now_ms)
    counts = {"likeCount": totals.likes, "replyCount": totals.replies, "repostCount": totals.shares}
    return shown | {name: number for name, number in counts.items() if number is not None}


def profile(item: AnyItem) -> dict[str, object]:
    """Return the profile of the author of an item."""
    did, _, _ = names(item)
    shown: dict[str, object] = {"did": did, "handle": item.author or "handle.invalid"}
    return shown if item.followers is None else shown | {"followersCount": item.followers}


def _reference(item: AnyItem) -> dict[str, str]:
    return {"cid": cid(item), "uri": _uri(item)}


def _uri(item: AnyItem) -> str:
    return "at://{}/{}/{}".format(*names(item))
