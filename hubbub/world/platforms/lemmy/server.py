"""An instance of Lemmy on loopback: a world, served as API v3 or v4.

Owns routes, pages, numbers of items, and the rate limit. Must never know whether the world was generated or recorded.
Source: https://github.com/LemmyNet/lemmy, the tag 0.19.12 for v3 and ``main`` for v4.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post, Reply
from hubbub.world.platforms.lemmy import views
from hubbub.world.platforms.lemmy.views import View, Views
from hubbub.world.simulator import answer
from hubbub.world.timeline import newest
from hubbub.world.world import World

T = TypeVar("T", Post, Reply)

PLATFORM = "lemmy"
MOST = 50
REQUESTS_PER_MINUTE = 180
LISTED = 1_000
"""Posts that are ranked; older ones are beyond any ranking."""
HOUR_MS = 3_600_000


class LemmyServer:
    """One instance's side of ``world`` at ``clock()``; it shows all items, wherever they were written.

    ``version``: of Lemmy; from 1.0 on there is API v4, and v3 stays. A client may make ``budget_factor`` * 180
    requests in a minute.
    """

    write_time = staticmethod(views.write_time)

    def __init__(
        self, world: World, clock: Clock, faults: Faults, budget_factor: float = 1.0, *, version: str = "0.19.12"
    ) -> None:
        self._world, self._clock = world, clock
        self._version = version
        self._budget = int(REQUESTS_PER_MINUTE * budget_factor)
        self._window_from_s, self._used = time.monotonic(), 0
        self._posts, self._replies = world.posts(PLATFORM), world.replies(PLATFORM)
        everything: Sequence[Item] = [*self._posts.items, *self._replies.items]
        self._numbers = {item.signal_id: number for number, item in enumerate(everything, start=1)}
        self._by_number = {str(self._numbers[post.signal_id]): post for post in self._posts.items}
        self._views = {number: Views(number, self._number, world.communities) for number in (3, 4)}
        self.app = web.Application(middlewares=[faults.middleware("lemmy", clock), self._limit])
        for api in (3,) if version.startswith("0.") else (3, 4):
            self.app.add_routes(
                [
                    web.get(f"/api/v{api}/site", self._site),
                    web.get(f"/api/v{api}/post/list", self._list_posts),
                    web.get(f"/api/v{api}/comment/list", self._list_comments),
                    web.get(f"/api/v{api}/post", self._post),
                    web.get(f"/api/v{api}/community", self._community),
                ]
            )

    @web.middleware
    async def _limit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reject what is beyond the limit: with status 400 up to 0.19, with 429 from 1.0 on."""
        if not request.path.startswith("/api/"):
            return await handler(request)
        if time.monotonic() - self._window_from_s >= 60:
            self._window_from_s, self._used = time.monotonic(), 0
        self._used += 1
        if self._used > self._budget:
            old = self._version.startswith("0.")
            return _error(400, "rate_limit_error") if old else _error(429, "too_many_requests")
        return await handler(request)

    async def _site(self, _: web.Request) -> web.Response:
        languages = [{"id": 0, "code": "und", "name": "Undetermined"}, {"id": 37, "code": "en", "name": "English"}]
        site = {"local_site": {"enable_downvotes": True, "post_downvotes": "all"}}
        return answer({"version": self._version, "site_view": site, "admins": [], "all_languages": languages})

    async def _list_posts(self, request: web.Request) -> web.Response:
        now_ms = self._clock()
        found = self._listed(request, newest([self._posts], now_ms), now_ms)
        shown = [post for post in islice(found, LISTED) if not post.gone(now_ms)]  # gone ones are left out
        match request.query.get("sort", "").lower().replace("_", ""):
            case "hot":
                shown.sort(key=lambda post: _rank(post, now_ms), reverse=True)
            case "newcomments":
                shown.sort(key=lambda post: _discussed_ms(post, now_ms), reverse=True)
        return self._page(request, "posts", shown, self._views_for(request).post, now_ms)

    async def _list_comments(self, request: web.Request) -> web.Response:
        now_ms = self._clock()
        found = islice(self._listed(request, newest([self._replies], now_ms), now_ms), LISTED)
        return self._page(request, "comments", list(found), self._views_for(request).comment, now_ms)

    async def _post(self, request: web.Request) -> web.Response:
        now_ms = self._clock()
        post = self._by_number.get(request.query.get("id", ""))
        if post is None or not post.there(now_ms) or post.gone(now_ms):
            old = request.path.startswith("/api/v3/")
            return _error(400, "couldnt_find_post") if old else _error(404, "not_found")
        return answer({"post_view": self._views_for(request).post(post, now_ms)})

    async def _community(self, request: web.Request) -> web.Response:
        return answer({"community_view": self._views_for(request).community(request.query.get("name", ""))})

    def _listed(self, request: web.Request, items: Iterator[T], now_ms: int) -> Iterator[T]:
        """Yield the items of the community that a request names; of all if it names none."""
        name = request.query.get("community_name")
        for item in items:
            post = item if isinstance(item, Post) else item.post
            if (name is None or post.community == name) and item.there(now_ms):
                yield item

    def _page(
        self, request: web.Request, name: str, items: Sequence[T], view: Callable[[T, int], View], now_ms: int
    ) -> web.Response:
        """Serve one page: by number in v3, by cursor in v4."""
        old = request.path.startswith("/api/v3/")
        limit = int(request.query.get("limit", "10"))
        if not 1 <= limit <= MOST:
            return _error(400, "invalid_fetch_limit")
        start = (int(request.query.get("page", "1")) - 1) * limit if old else self._after(request, items)
        page = [view(item, now_ms) for item in items[start : start + limit]]
        if old:
            return answer({name: page})
        more = start + limit < len(items)
        return answer({"items": page, "next_page": f"P{self._number(items[start + limit - 1])}" if more else None})

    def _after(self, request: web.Request, items: Sequence[Item]) -> int:
        """Return where the page begins after the item of a cursor; a cursor of an item that is gone starts again."""
        cursor = request.query.get("page_cursor", "").removeprefix("P")
        return next((place + 1 for place, item in enumerate(items) if str(self._number(item)) == cursor), 0)

    def _views_for(self, request: web.Request) -> Views:
        return self._views[3 if request.path.startswith("/api/v3/") else 4]

    def _number(self, item: Item) -> int:
        return self._numbers[item.signal_id]


def _rank(post: Post, now_ms: int) -> float:
    """Return a post's rank: votes against age (https://join-lemmy.org/docs/contributors/07-ranking-algo.html)."""
    age_h = max(0.0, (now_ms - post.created_ms) / HOUR_MS)
    return float(((post.totals(now_ms).likes or 0) + 3) / (age_h + 2) ** 1.8)


def _discussed_ms(post: Post, now_ms: int) -> int:
    """Return when the last comment on a post appeared, or the post itself."""
    return max((reply.appears_ms for reply in post.thread if reply.there(now_ms)), default=post.created_ms)


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": code}, status=status)
