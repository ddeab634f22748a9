"""The names of things on Bluesky: records, their signal ids and their pages.

Owns the way between an ``at://`` URI and an id, and the time in a record key (https://atproto.com/specs/tid).
Must never know what a record says.
"""

import re
from typing import Final

PLATFORM: Final = "bluesky"
POSTS: Final = "app.bsky.feed.post"
"""The collection of posts, replies and quotes."""
REPOSTS: Final = "app.bsky.feed.repost"

_uri = re.compile(
    rf"at://(did:[a-z]+:[A-Za-z0-9._:%-]{{1,256}})/{re.escape(POSTS)}/([A-Za-z0-9._:~-]{{1,200}})"
).fullmatch
_SORTABLE: Final = "234567abcdefghijklmnopqrstuvwxyz"
_tid = re.compile(f"[2-7a-j][{_SORTABLE}]{{12}}").fullmatch


def signal_id(did: str, rkey: str) -> str:
    """Return the id of the signals that observe a post or a repost."""
    return f"{PLATFORM}:{did}/{rkey}"


def id_of_post(uri: str) -> str | None:
    """Return the id of the signals of the post at ``uri``; None if that is no post, or names its author by handle."""
    found = _uri(uri)
    return None if found is None else signal_id(found[1], found[2])


def uri_of_post(id_: str) -> str:
    """Return the URI of the post that signals with this id observe."""
    did, _, rkey = id_.removeprefix(f"{PLATFORM}:").partition("/")
    return f"at://{did}/{POSTS}/{rkey}"


def author_of(id_: str) -> str:
    """Return the DID of the author of an item."""
    return id_.removeprefix(f"{PLATFORM}:").partition("/")[0]


def page_of(id_: str) -> str:
    """Return the address of a post's page. It names the author by DID, since handles change."""
    did, _, rkey = id_.removeprefix(f"{PLATFORM}:").partition("/")
    return f"https://bsky.app/profile/{did}/post/{rkey}"


def named_ms(rkey: str) -> int | None:
    """Return the time that a record key states, as clients make them; None for another key.

    >>> named_ms("3mmoojp4cd223")
    1779719008756
    """
    if _tid(rkey) is None:
        return None
    number = 0
    for character in rkey:
        number = number * 32 + _SORTABLE.index(character)
    return (number >> 10) // 1000
