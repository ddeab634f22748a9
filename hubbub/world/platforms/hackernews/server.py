"""Hacker News on loopback: a world, served as the Firebase API does.

Owns routes, numbering, ranking and the JSON of items. Must never know whether the world was generated or recorded.
Sources: https://github.com/HackerNews/API, https://hn.algolia.com/api.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post, Removal, Reply
from hubbub.world.simulator import answer
from hubbub.world.timeline import Timeline, newest
from hubbub.world.world import World

MOST_HITS = 1000
"""Hits that Algolia gives for a query, whatever its pages."""
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
                web.get("/v0/{name:top|best|new|ask|show|job}stories.json", self._top),
                web.get("/api/v1/search_by_date", self._search),
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

    async def _search(self, request: web.Request) -> web.Response:
        """Serve a page of Algolia's index of the site: what was created in a window of time, newest first."""
        now_ms = self._clock()
        filters = request.query.get("numericFilters", "")
        bounds = {name: int(value) for name, value in re.findall(r"created_at_i(>=|<)(\d+)", filters)}
        begin_ms, end_ms = 1000 * bounds.get(">=", 0), 1000 * bounds.get("<", now_ms)
        places: list[Timeline[Any]] = [self._world.posts("hackernews"), self._world.replies("hackernews")]
        items: Iterator[Item] = newest(places, now_ms)
        found = [item for item in items if begin_ms <= item.created_ms < end_ms and not item.gone(now_ms)]
        limit = min(int(request.query.get("hitsPerPage", "20")), MOST_HITS)
        return answer({"hits": [_hit(item, now_ms) for item in found[:limit]], "nbHits": len(found), "page": 0})

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


def _hit(item: Item, now_ms: int) -> dict[str, object]:
    """Return an item as Algolia has it."""
    found: dict[str, object] = {"objectID": item.native, "created_at_i": item.created_ms // 1000, "author": item.author}
    if isinstance(item, Reply):
        post = item.post
        tags = ["comment", f"author_{item.author}", f"story_{post.native}"]
        return found | {
            "_tags": tags,
            "comment_text": _html(item.text),
            "story_id": int(post.native),
            "parent_id": int(item.parent.native),
        }
    if not isinstance(item, Post):
        return found
    totals = item.totals(now_ms)
    return found | {
        "_tags": ["story", f"author_{item.author}", f"story_{item.native}"],
        "title": item.title,
        "url": item.url,
        "story_text": _html(item.text) if item.text else None,
        "points": totals.likes,
        "num_comments": totals.replies,
    }


def _html(text: str) -> str:
    """Return a text as Hacker News writes it: HTML, with ``<p>`` before each paragraph but the first."""
    return escape(text).replace("/", "&#x2F;").replace("\n\n", "<p>")
