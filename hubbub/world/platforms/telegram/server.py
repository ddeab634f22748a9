"""Telegram on loopback: a world's channels, served as their preview pages.

Owns the route, the paging and the values of a message. Must never know whether the world was generated or recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Post
from hubbub.world.platforms.telegram.html import encode
from hubbub.world.world import World

__all__ = ["CHANNELS", "TelegramServer"]

CHANNELS: Final = ("aiwire", "modelwatch", "morninglines")
"""The channels of the generated world."""
PAGE_ITEMS: Final = 20


class TelegramServer:
    """The channels of ``world``, as of ``clock()``."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self._world, self._clock = world, clock
        self.app = web.Application(middlewares=[faults.middleware("telegram", clock)])
        self.app.add_routes([web.get("/s/{channel}", self._page)])

    async def _page(self, request: web.Request) -> web.Response:
        """Serve up to 20 messages, oldest first: the newest, or those before a number."""
        channel = request.match_info["channel"].lower()
        posts = self._world.posts("telegram", channel)
        if not len(posts):
            raise web.HTTPFound(f"/{channel}")
        now_ms = self._clock()
        before = request.query.get("before", "")
        limit = int(before) if before.isdigit() else None
        shown = [
            post
            for post in posts.items
            if post.there(now_ms) and not post.gone(now_ms) and (limit is None or _number(post) < limit)
        ]
        shown.sort(key=_number)
        community = self._world.communities.get(channel)
        page = {
            "title": channel.title(),
            "subscribers": _short(community.members) if community is not None else "",
            "messages": [_message(post, now_ms) for post in shown[-PAGE_ITEMS:]],
        }
        return web.Response(body=encode(page), content_type="text/html", charset="utf-8")


def _number(post: Post) -> int:
    return int(post.native.rpartition("/")[2])


def _message(post: Post, now_ms: int) -> dict[str, object]:
    """Return the values of a message."""
    totals = post.totals(now_ms)
    found: dict[str, object] = {
        "post": post.native,
        "time": datetime.fromtimestamp(post.created_ms // 1000, UTC).isoformat(),
        "text": "\n\n".join(part for part in (post.title, post.text, post.url) if part),
    }
    if post.url is not None:
        found["preview_url"] = post.url
    if totals.views is not None:
        found["views"] = _short(totals.views)
    if totals.likes is not None:
        found["reactions"] = [_short(totals.likes)]
    return found


def _short(number: int | None) -> str:
    """Return a count as Telegram writes it: rounded down to three digits from a thousand on."""
    if number is None:
        return ""
    for unit, factor in (("M", 1_000_000), ("K", 1_000)):
        if number >= factor:
            digits = 2 if number < 10 * factor else 1 if number < 100 * factor else 0
            scaled = number * 10**digits // factor / 10**digits
            return f"{scaled:.{digits}f}".rstrip("0").rstrip(".") + unit if digits else f"{number // factor}{unit}"
    return str(number)
