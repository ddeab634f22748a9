"""Native ids: what each platform calls its items.

Owns the form of the ids. Must never know what the items say.

Ids are given in order of creation. Numbers grow, with gaps for the items of other people.
"""

import random
from base64 import b32encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from itertools import count

from hubbub.world.items import AnyItem, Item, Post, root_of

Name = Callable[[AnyItem], str]
"""Returns the id of the next item."""

TWITTER_EPOCH_MS = 1_288_834_974_657
"""The beginning of X's numbers (https://docs.x.com/fundamentals/x-ids)."""
_TID_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_VIDEO_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def did(author: str) -> str:
    """Return the identity of an account of Bluesky: a made-up ``did:plc:``, the same for the same name."""
    return "did:plc:" + b32encode(sha256(author.encode()).digest()).decode().lower()[:24]


def host_of(item: Item) -> str:
    """Return the instance on which an item was written: that of its author."""
    return (item.author or "").rpartition("@")[2]


def base36(number: int) -> str:
    """Return ``number`` in base 36, in which Reddit writes its ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _bluesky(_: random.Random) -> Name:
    """``did/rkey``: the rkey is a TID, a time in microseconds (https://atproto.com/specs/tid)."""
    order = count()

    def name(item: AnyItem) -> str:
        number = (item.created_ms * 1000 + next(order) % 1_000_000) << 10
        rkey = "".join(_TID_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))
        return f"{did(item.author or '')}/{rkey}"

    return name


def _mastodon(_: random.Random) -> Name:
    """``host/number``: the number is a time in ms and 16 more bits."""
    order = count()
    return lambda item: f"{host_of(item)}/{item.created_ms << 16 | next(order) & 0xFFFF}"


def _x(_: random.Random) -> Name:
    """A number: a time in ms since X's epoch and 22 more bits."""
    order = count()
    return lambda item: str((item.created_ms - TWITTER_EPOCH_MS) << 22 | next(order) & 0x3FFFFF)


def _lemmy(rng: random.Random) -> Name:
    """``host/post/number`` and ``host/comment/number``."""
    last: defaultdict[str, int] = defaultdict(lambda: 1_000_000)

    def name(item: AnyItem) -> str:
        place = f"{host_of(item)}/{'post' if isinstance(item, Post) else 'comment'}"
        last[place] += rng.randint(1, 40)
        return f"{place}/{last[place]}"

    return name


def _numbered(rng: random.Random, first: int, step: int) -> Name:
    """``place/number``: numbers run within a community, replies among the posts."""
    last: defaultdict[str, int] = defaultdict(lambda: first)

    def name(item: AnyItem) -> str:
        place = str(root_of(item).community)
        last[place] += rng.randint(1, step)
        return f"{place}/{last[place]}"

    return name


def _youtube(rng: random.Random) -> Name:
    """11 characters for a video, 26 for a comment."""

    def name(item: AnyItem) -> str:
        if isinstance(item, Post):
            return "".join(rng.choices(_VIDEO_DIGITS, k=11))
        return f"Ugx{''.join(rng.choices(_VIDEO_DIGITS, k=17))}4AaABAg"

    return name


def _link(_: random.Random) -> Name:
    """The address of the article, without its scheme."""
    return lambda item: str(root_of(item).url).removeprefix("https://")


def _issue(_: random.Random) -> Name:
    """A running number."""
    order = count(101)
    return lambda _: f"issue-{next(order)}"


_FORMS: Mapping[str, Callable[[random.Random], Name]] = {
    "bluesky": _bluesky,
    "mastodon": _mastodon,
    "lemmy": _lemmy,
    "news": _link,
    "gdelt": _link,
    "x": _x,
    "youtube": _youtube,
    "stackexchange": lambda rng: _numbered(rng, 50_000, 9),
    "telegram": lambda rng: _numbered(rng, 8_000, 2),
    "newsletter": _issue,
}


def name_items(rng: random.Random, platform: str, items: Iterable[AnyItem]) -> None:
    """Give every item of a platform its id."""
    name = _FORMS[platform](rng)
    for item in sorted(items, key=lambda item: item.created_ms):
        item.native = name(item)
