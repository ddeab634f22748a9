"""Hacker News on loopback: a world, served as the Firebase API does.

Owns routes, numbering, ranking and the JSON of items. Must never know whether the world was generated or recorded.
Source: https://github.com/HackerNews/API.
"""

from html import escape
from itertools import islice

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post, Removal, Reply
from hubbub.world.simulator import answer
from hubbub.world.timeline import newest
from hubbub.world.world import World

STORIES = 500
"""Stories in the list of the front page: the newest."""
CHANGED_MS = 300_000
"""An item that changed within this time is listed as updated."""
HOUR_MS = 3_600_000


class HackerNewsServer:
    """Hacker News' side of ``world``, as of ``clock()``. It needs no token and has no rate limit."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world, self._clock = world, clock
        self.app = web.Application(middlewares=[faults.middleware("hackernews", clock)])
        self.app.add_routes(
            [
                web.get("/v0/maxitem.json", self._maxitem),
                web.get("/v0/item/{number}.json", self._item),
                web.get("/v0/updates.json", self._updates),
                web.get("/v0/topstories.json", self._top),
            ]
        )

    async def _maxitem(self, _: web.Request) -> web.Response:
        return answer(self._world.highest(self._clock()))

    async def _item(self, request: web.Request) -> web.Response:
        """Serve an item, or null for a number without an item that is public."""
        now_ms = self._clock()
        found = self._world.find(f"hackernews:{request.match_info['number']}", now_ms)
        return answer(None if found is None else _firebase(found, now_ms))

    async def _updates(self, _: web.Request) -> web.Response:
        """Serve the numbers of stories that changed a short time ago, and the names of users who replied."""
        now_ms = self._clock()
        since_ms = now_ms - CHANGED_MS
        posts = [post for post in self._stories(now_ms) if post.totals(now_ms) != post.totals(since_ms)]
        newcomers = islice(newest([self._world.replies("hackernews")], now_ms), 100)
        names = dict.fromkeys(reply.author for reply in newcomers if reply.appears_ms > since_ms and reply.author)
        return answer({"items": [int(post.native) for post in posts], "profiles": list(names)})

    async def _top(self, _: web.Request) -> web.Response:
        """Serve the front page's order: points against age, in the form that the site once published."""
        now_ms = self._clock()

        def rank(post: Post) -> float:
            age_h = (now_ms - post.created_ms) / HOUR_MS
            return float(((post.totals(now_ms).likes or 1) - 1) / (age_h + 2) ** 1.8)

        shown = [post for post in self._stories(now_ms) if not post.gone(now_ms)]
        return answer([int(post.native) for post in sorted(shown, key=rank, reverse=True)])

    def _stories(self, now_ms: int) -> list[Post]:
        return list(islice(newest([self._world.posts("hackernews")], now_ms), STORIES))


def _firebase(item: Item, now_ms: int) -> dict[str, object]:
    """Return an item as Firebase has it. A deleted item keeps only its place; a dead one says so."""
    found: dict[str, object] = {"id": int(item.native), "time": item.created_ms // 1000}
    kids = [int(reply.native) for reply in item.replies if reply.there(now_ms)]
    if kids:
        found["kids"] = kids
    if isinstance(item, Reply):
        found |= {"type": "comment", "parent": int(item.parent.native)}
    else:
        found["type"] = "story"
    if item.gone(now_ms):
        if item.removal is Removal.DELETED:
            return found | {"deleted": True}
        found["dead"] = True
    if item.author is not None:
        found["by"] = item.author
    if item.text:
        found["text"] = _html(item.text)
    if isinstance(item, Post):
        totals = item.totals(now_ms)
        found["title"] = item.title
        if item.url is not None:
            found["url"] = item.url
        if totals.likes is not None:
            found["score"] = totals.likes
        if totals.replies is not None:
            found["descendants"] = totals.replies
    return found


def _html(text: str) -> str:
    """Return a text as Hacker News writes it: HTML, with ``<p>`` before each paragraph but the first."""
    return escape(text).replace("/", "&#x2F;").replace("\n\n", "<p>")
