"""YouTube on loopback: a world, served as the Data API v3 and the channels' feeds do.

Owns routes, keys, the quota and pages. Must never know how a resource looks. Any key but ``wrong`` is taken. Source:
https://developers.google.com/youtube/v3/docs.
"""

from itertools import islice
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Post, Reply
from hubbub.world.platforms.youtube import resources
from hubbub.world.platforms.youtube.resources import channel_id, is_shown, listing
from hubbub.world.simulator import answer
from hubbub.world.timeline import newest
from hubbub.world.world import World

PLATFORM: Final = "youtube"
REFUSED: Final = "wrong"
"""The key that is rejected."""
UNITS: Final = 10_000
"""The daily quota of a key. The simulated day never ends."""
FEED_VIDEOS: Final = 15
LIST_IDS: Final = 50
PAGE_COMMENTS: Final = 20


class YouTubeServer:
    """YouTube's side of ``world`` at ``clock()``. A key may spend ``budget_factor`` * 10 000 units."""

    def __init__(self, world: World, clock: Clock, faults: Faults, budget_factor: float = 1.0) -> None:
        self._world, self._clock = world, clock
        self._units_left = int(UNITS * budget_factor)
        self._channels = {
            channel_id(place.name): place for place in world.communities.values() if place.platform == PLATFORM
        }
        self.app = web.Application(middlewares=[faults.middleware(PLATFORM, clock), self._guard])
        self.app.add_routes(
            [
                web.get("/feeds/videos.xml", self._feed),
                web.get("/youtube/v3/channels", self._get_channels),
                web.get("/youtube/v3/videos", self._videos),
                web.get("/youtube/v3/commentThreads", self._threads),
            ]
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through feeds, and requests with a key that has units left."""
        if not request.path.startswith("/youtube/v3/"):
            return await handler(request)
        if request.headers.get("X-Goog-Api-Key", REFUSED) == REFUSED:
            return _error(400, "API key not valid. Please pass a valid API key.", "keyInvalid")
        if self._units_left <= 0:
            return _error(403, "The request cannot be completed: you have exceeded your quota.", "quotaExceeded")
        self._units_left -= 1
        return await handler(request)

    async def _feed(self, request: web.Request) -> web.Response:
        """Serve the latest videos of a channel."""
        now_ms = self._clock()
        place = self._channels.get(request.query.get("channel_id", ""))
        if place is None:
            return web.Response(status=404, text="Not found")
        posts = newest([self._world.posts(PLATFORM, place.name.lower())], now_ms)
        shown = islice((post for post in posts if is_shown(post, now_ms)), FEED_VIDEOS)
        body = resources.feed_of([resources.video(post, now_ms) for post in shown])
        return web.Response(body=body, content_type="text/xml", charset="utf-8")

    async def _get_channels(self, request: web.Request) -> web.Response:
        ids = request.query["id"].split(",")[:LIST_IDS]
        found = [resources.channel(self._channels[id_]) for id_ in ids if id_ in self._channels]
        return answer(listing("channel", found))

    async def _videos(self, request: web.Request) -> web.Response:
        """Serve videos by id; those that are gone are left out."""
        now_ms = self._clock()
        items = [self._world.find(f"{PLATFORM}:{id_}", now_ms) for id_ in request.query["id"].split(",")[:LIST_IDS]]
        shown = [item for item in items if isinstance(item, Post) and is_shown(item, now_ms)]
        return answer(listing("video", [resources.video(item, now_ms) for item in shown]))

    async def _threads(self, request: web.Request) -> web.Response:
        """Serve a page of the comments to a video, newest first."""
        now_ms = self._clock()
        post = self._world.find(f"{PLATFORM}:{request.query['videoId']}", now_ms)
        if not isinstance(post, Post) or not is_shown(post, now_ms):
            return _error(404, "The video cannot be found.", "videoNotFound")
        tops = [reply for reply in reversed(post.replies) if is_shown(reply, now_ms)]
        begin, size = int(request.query.get("pageToken", "0")), min(int(request.query["maxResults"]), PAGE_COMMENTS)
        page = [resources.thread(reply, _answers(reply, now_ms), now_ms) for reply in tops[begin : begin + size]]
        return answer(listing("commentThread", page, str(begin + size) if begin + size < len(tops) else None))


def _answers(reply: Reply, now_ms: int) -> list[Reply]:
    """Return the answers to a comment, and the answers to those: YouTube shows both on one level."""
    found: list[Reply] = []
    for answered in reply.replies:
        found += [answered, *_answers(answered, now_ms)]
    return [answered for answered in found if is_shown(answered, now_ms)]


def _error(status: int, message: str, reason: str) -> web.Response:
    problem = {"message": message, "domain": "youtube.api", "reason": reason}
    return web.json_response({"error": {"code": status, "message": message, "errors": [problem]}}, status=status)
