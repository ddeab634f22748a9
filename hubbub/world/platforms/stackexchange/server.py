"""Stack Exchange on loopback: a world, served as API 2.3.

Owns routes, the order of questions, the wrapper and the quota. Must never know whether the world was generated or
recorded. Source: https://api.stackexchange.com/docs. Each reply of the world is an answer, at whatever depth.
"""

import time
from html import escape
from zlib import crc32

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post
from hubbub.world.simulator import answer
from hubbub.world.world import World

PLATFORM = "stackexchange"
REQUESTS_PER_DAY = 300
DAY_SECONDS = 86_400
MOST = 100
FILTER = "!simulated"

Fields = dict[str, object]


class StackExchangeServer:
    """Stack Exchange's side of ``world`` at ``clock()``. A client may make ``budget_factor`` * 300 requests a day."""

    def __init__(self, world: World, clock: Clock, faults: Faults, budget_factor: float = 1.0) -> None:
        self._world, self._clock = world, clock
        self._quota = int(REQUESTS_PER_DAY * budget_factor)
        self._used, self._window_from_s = 0, time.monotonic()
        self.app = web.Application(middlewares=[faults.middleware(PLATFORM, clock), self._count])
        self.app.add_routes(
            [
                web.get("/2.3/filters/create", self._create_filter),
                web.get("/2.3/questions", self._list),
                web.get("/2.3/search", self._list),
                web.get("/2.3/questions/{numbers}", self._questions),
            ]
        )

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reject what is beyond the quota, and compress every answer."""
        if not request.path.startswith("/2.3/"):
            return await handler(request)
        if (passed_s := time.monotonic() - self._window_from_s) >= DAY_SECONDS:
            self._used, self._window_from_s, passed_s = 0, time.monotonic(), 0.0
        if self._used >= self._quota:
            seconds = int(DAY_SECONDS - passed_s)
            said = f"too many requests from this IP, more requests available in {seconds} seconds"
            return _error(502, "throttle_violation", said)
        self._used += 1
        response = await handler(request)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _create_filter(self, request: web.Request) -> web.Response:
        fields = request.query.get("include", "").split(";")
        return self._answer([{"filter": FILTER, "filter_type": "safe", "included_fields": fields}])

    async def _list(self, request: web.Request) -> web.Response:
        """Serve a page of the questions of a site, those with the latest activity first."""
        now_ms = self._clock()
        site = request.query.get("site", "")
        if site not in self._world.communities:
            return _error(400, "bad_parameter", f"No site found for name `{site}`")
        shown = [post for post in self._world.posts(PLATFORM, site).items if post.there(now_ms)]
        found = sorted((post for post in shown if not post.gone(now_ms)), key=lambda post: -_active_ms(post, now_ms))
        size, page = min(MOST, int(request.query.get("pagesize", 30))), int(request.query.get("page", 1))
        start = (page - 1) * size
        items = [_question(post, now_ms) for post in found[start : start + size]]
        return self._answer(items, has_more=start + size < len(found))

    async def _questions(self, request: web.Request) -> web.Response:
        """Serve questions by number; those that are gone are left out."""
        now_ms, site = self._clock(), request.query.get("site", "")
        numbers = request.match_info["numbers"].split(";")[:MOST]
        found = (self._world.find(f"{PLATFORM}:{site}/{number}", now_ms) for number in numbers)
        return self._answer(
            [_question(post, now_ms) for post in found if isinstance(post, Post) and not post.gone(now_ms)]
        )

    def _answer(self, items: list[Fields], *, has_more: bool = False) -> web.Response:
        quota: Fields = {"quota_max": self._quota, "quota_remaining": self._quota - self._used}
        return answer({"items": items, "has_more": has_more} | quota)


def _question(post: Post, now_ms: int) -> Fields:
    answers = [reply for reply in post.thread if reply.there(now_ms) and not reply.gone(now_ms)]
    totals = post.totals(now_ms)
    return _item(post, now_ms) | {
        "question_id": _number(post),
        "title": escape(post.title),
        "tags": ["llm"],
        "view_count": totals.views or 0,
        "answer_count": len(answers),
        "comment_count": 0,
        "is_answered": bool(answers),
        "last_activity_date": _active_ms(post, now_ms) // 1000,
        "answers": [
            _item(reply, now_ms) | {"answer_id": _number(reply), "question_id": _number(post), "comment_count": 0}
            for reply in answers
        ],
    }


def _item(item: Item, now_ms: int) -> Fields:
    """Return what questions and answers have in common."""
    site = item.native.partition("/")[0]
    host = "stackoverflow.com" if site == "stackoverflow" else f"{site}.stackexchange.com"
    name = item.author or "user1"
    return {
        "owner": {"display_name": escape(name), "user_id": crc32(name.encode()), "user_type": "registered"},
        "score": item.votes.at(now_ms).likes or 0,
        "body": f"<p>{escape(item.text)}</p>\n",
        "creation_date": item.created_ms // 1000,
        "link": f"https://{host}/q/{_number(item)}",
        "content_license": "CC BY-SA 4.0",
    }


def _active_ms(post: Post, now_ms: int) -> int:
    """Return when something last happened: the question, or the latest answer."""
    return max((reply.created_ms for reply in post.thread if reply.there(now_ms)), default=post.created_ms)


def _number(item: Item) -> int:
    return int(item.native.rpartition("/")[2])


def _error(number: int, name: str, said: str) -> web.Response:
    return web.json_response({"error_id": number, "error_name": name, "error_message": said}, status=400)
