"""A busy place on simulated time: so many posts and comments a second that no client can read all of them.

Nothing is stored: what a listing shows is arithmetic, so that minutes of it take seconds. It knows Reddit's limits: a
page of 100, listings of 1 000, and nothing after or before a thing that a listing has left behind.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.reddit.source import PAGE_ITEMS, REACH, THREAD_ITEMS, ListingName, Page

__all__ = ["BusyPlace", "BusySource", "SimulatedClock", "number_of"]

BEGINS_MS = 1_700_000_000_000
MEAN_AGE_S = 1_200
"""Mean age of the posts that comments answer."""
HOT_EVERY, HOT_SHARE, HOT_POSTS = 1_500, 0.3, 100
"""Every so manieth post is hot. So many of the comments answer the latest hot ones, by Zipf's law: the k-th has a share
of 1/k. At 500 comments a second the newest of them gets about 20 a second, the tenth 3, the hundredth 0.3.
"""
THREAD_S = 120
"""How far back the comments of a thread are looked for."""
MIX = 0x9E3779B97F4A7C15
KINDS: dict[ListingName, str] = {"submissions": "t3", "comments": "t1"}

Thing = dict[str, object]


class SimulatedClock:
    """Seconds that pass when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move the clock on; other tasks get their turn."""
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


@dataclass
class BusyPlace:
    """``clock``: of the simulation, which begins when this object is made."""

    clock: SimulatedClock
    posts_per_second: float = 50.0
    comments_per_second: float = 500.0
    began_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_at = self.clock.now

    def now_ms(self) -> int:
        """Return the time of the items."""
        return BEGINS_MS + round(1_000 * (self.clock.now - self.began_at))

    def rate(self, name: ListingName) -> float:
        """Return how many new things a listing shows a second."""
        return self.posts_per_second if name == "submissions" else self.comments_per_second

    def newest(self, name: ListingName) -> int:
        """Return the number of the newest thing. The first one of the run is 0; older ones are below."""
        return math.floor((self.clock.now - self.began_at) * self.rate(name)) - 1

    def page(self, name: ListingName, after: str | None = None, before: str | None = None) -> list[Thing]:
        """Return a page, newest first."""
        newest = self.newest(name)
        oldest = newest - REACH + 1
        begin = newest
        if after is not None:
            begin = number_of(after) - 1
        elif before is not None and oldest <= number_of(before) <= newest:
            begin = min(newest, number_of(before) + PAGE_ITEMS)
            oldest = number_of(before) + 1
        elif before is not None:
            return []
        begin = max(begin, oldest - 1)
        return [self.thing(name, number) for number in range(begin, max(oldest, begin - PAGE_ITEMS + 1) - 1, -1)]

    def thing(self, name: ListingName, number: int) -> Thing:
        """Return a thing of a listing by its number."""
        kind = KINDS[name]
        created_s = BEGINS_MS // 1_000 + math.floor((number + 1) / self.rate(name))  # Reddit gives whole seconds
        data: Thing = {"name": self.fullname(kind, number), "author": f"u{number % 9_999}", "subreddit": "busy"}
        data |= {"created_utc": float(created_s), "score": 1}
        if kind == "t3":
            data |= {"title": f"Post {number}", "is_self": True, "selftext": "", "num_comments": 10}
        else:
            data |= {"link_id": self.fullname("t3", self.post_of(number)), "body": f"Comment {number}"}
        return {"kind": kind, "data": data}

    @staticmethod
    def fullname(kind: str, number: int) -> str:
        """Return the fullname of a thing; numbers before the run are negative."""
        return f"{kind}_{base_36(number + 36**6)}"

    def named(self, name: str) -> Thing | None:
        """Return a thing by its fullname, if it is there yet."""
        listing: ListingName = "submissions" if name.startswith("t3") else "comments"
        number = number_of(name)
        return self.thing(listing, number) if number <= self.newest(listing) else None

    def newest_comments(self, post: str, limit: int) -> list[Thing]:
        """Return the newest comments of a post; those of the last minutes only, which is enough here."""
        found: list[Thing] = []
        newest, number = self.newest("comments"), number_of(post)
        for comment in range(newest, newest - math.floor(THREAD_S * self.comments_per_second), -1):
            if self.post_of(comment) == number:
                found.append(self.thing("comments", comment))
                if len(found) == limit:
                    break
        return found

    def post_of(self, number: int) -> int:
        """Return the post that a comment answers: one of the latest, or a hot one."""
        draw = ((number * MIX) & (2**64 - 1)) / 2**64
        newest = math.floor(number / self.comments_per_second * self.posts_per_second)
        if draw < HOT_SHARE:
            rank = math.floor(float(HOT_POSTS ** (draw / HOT_SHARE)))
            return (newest // HOT_EVERY - rank + 1) * HOT_EVERY
        age_s = -MEAN_AGE_S * math.log(1 - (draw - HOT_SHARE) / (1 - HOT_SHARE))
        return newest - math.floor(age_s * self.posts_per_second)


@dataclass
class BusySource:
    """The place through one client: a request waits for the rate limiter and takes ``request_seconds``."""

    place: BusyPlace
    rate_limiter: RateLimiter
    has_counts: bool
    request_seconds: float = 0.2
    requests: int = 0

    async def listing(self, name: ListingName, after: str | None) -> Page:
        """See ``Source``."""
        await self._request()
        things = self.place.page(name, after)
        return Page(tuple(things), _last(things) if len(things) == PAGE_ITEMS else None, self.place.now_ms())

    async def info(self, fullnames: Sequence[str]) -> Page:
        """See ``Source``."""
        await self._request()
        things = [thing for name in fullnames if (thing := self.place.named(name)) is not None]
        return Page(tuple(things), None, self.place.now_ms())

    async def thread(self, fullname: str) -> Page:
        """See ``Source``."""
        await self._request()
        things = [thing] if (thing := self.place.named(fullname)) is not None else []
        return Page((*things, *self.place.newest_comments(fullname, THREAD_ITEMS)), None, self.place.now_ms())

    async def close(self) -> None:
        """See ``Source``."""

    async def _request(self) -> None:
        await self.rate_limiter.acquire()
        await self.place.clock.sleep(self.request_seconds)
        self.requests += 1


def number_of(name: str) -> int:
    """Return the number of a thing by its fullname."""
    return int(name.partition("_")[2], 36) - 36**6


def base_36(number: int) -> str:
    """Return a number as Reddit writes ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _last(things: Sequence[Thing]) -> str | None:
    data = things[-1]["data"]
    return str(data["name"]) if isinstance(data, dict) else None
