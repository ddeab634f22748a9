"""Reddit on loopback: a world, served over the protocol that reddit.com and oauth.reddit.com speak.

Owns tokens, rate limits, routes, pages. Must never know how a Thing is built (``reddit_things.py``), nor whether the
world was generated or recorded. One server is both hosts: give its address as ``reddit_url`` and ``oauth_url``.

Any client id is taken, and any secret and password but ``wrong``. Sources: https://www.reddit.com/dev/api,
https://github.com/reddit-archive/reddit/wiki/OAuth2, and recorded sessions of PRAW.
"""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from hubbub.clock import Clock
from hubbub.world.faults import Faults
from hubbub.world.items import Item, Post, Reply
from hubbub.world.platforms.reddit import atom
from hubbub.world.platforms.reddit.things import Thing, comment, link, listing
from hubbub.world.simulator import answer
from hubbub.world.timeline import Timeline, newest_page, place
from hubbub.world.world import World

REQUESTS_PER_WINDOW = 1000
WINDOW_S = 600
"""Reddit grants an OAuth client 100 requests a minute, averaged over ten."""
FEED_REQUESTS_PER_WINDOW = 100
"""Without a token an address has about ten requests a minute, for the feeds alone."""
TOKEN_S = 86_400
ATOM_TYPE = "application/atom+xml"
REFUSED = "wrong"
"""The client secret, or password, that is rejected."""
PAGE = 25
MOST = 100
"""Items on a page: without a limit in the request, and at most."""

T = TypeVar("T", bound=Item)


@dataclass(slots=True)
class _Client:
    """What Reddit remembers of an OAuth client: how many requests it made in the current window."""

    window_from_s: float = field(default_factory=time.monotonic)
    used: int = 0

    def spend(self, budget: int) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it is within the budget, and the headers that say what is left."""
        elapsed_s = time.monotonic() - self.window_from_s
        if elapsed_s >= WINDOW_S:
            self.window_from_s, self.used, elapsed_s = time.monotonic(), 0, 0.0
        self.used += 1
        left = {
            "x-ratelimit-remaining": f"{max(0, budget - self.used)}.0",
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-reset": str(max(1, int(WINDOW_S - elapsed_s))),
        }
        return self.used <= budget, left


class RedditServer:
    """Reddit's side of ``world`` at ``clock()``. A client may make ``budget_factor`` * 1000 requests in ten minutes."""

    def __init__(self, world: World, clock: Clock, faults: Faults, budget_factor: float = 1.0) -> None:
        self._world, self._clock = world, clock
        self._budget = int(REQUESTS_PER_WINDOW * budget_factor)
        self._feed_budget = int(FEED_REQUESTS_PER_WINDOW * budget_factor)
        self._clients: dict[str, _Client] = {}
        self._addresses: dict[str | None, _Client] = {}
        self._tokens: dict[str, str] = {}
        self.app = web.Application(middlewares=[faults.middleware("reddit", clock), self._guard])
        self.app.add_routes(
            [
                web.post("/api/v1/access_token{end:/?}", self._token),
                web.get("/api/info{end:/?}", self._info),
                web.get("/r/{places}/new{end:/?}", self._new),
                web.get("/r/{places}/comments{end:/?}", self._comments),
                web.get("/r/{places}/new.rss", self._new_feed),
                web.get("/r/{places}/comments.rss", self._comments_feed),
            ]
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through a client with a token and requests left; each answer says how many are left."""
        if request.path.startswith(("/api/v1/access_token", "/_world/")):
            return await handler(request)
        if request.path.endswith(".rss"):
            client, budget = self._addresses.setdefault(request.remote, _Client()), self._feed_budget
        else:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            owner = self._tokens.get(token) if scheme.lower() == "bearer" else None
            if owner is None:
                return _error(401, "Unauthorized", {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'})
            client, budget = self._clients[owner], self._budget
        granted, left = client.spend(budget)
        if not granted:
            return _error(429, "Too Many Requests", left | {"Retry-After": left["x-ratelimit-reset"]})
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            return _error(404, "Not Found", left)
        response.headers.update(left)
        return response

    async def _token(self, request: web.Request) -> web.Response:
        """Grant a token (OAuth 2, RFC 6749): for the client itself, or for a script's account."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = _decoded(credentials).partition(":")
        if scheme.lower() != "basic" or not client or secret == REFUSED:
            return _error(401, "Unauthorized")
        form = await request.post()
        grant = form.get("grant_type")
        if grant not in {"client_credentials", "password"}:
            return answer({"error": "unsupported_grant_type"})
        if grant == "password" and (not form.get("username") or form.get("password") in {None, "", REFUSED}):
            return answer({"error": "invalid_grant"})
        token = f"{quote(client)}-{len(self._tokens)}"
        self._tokens[token] = client
        self._clients.setdefault(client, _Client())
        return answer({"access_token": token, "token_type": "bearer", "expires_in": TOKEN_S, "scope": "*"})

    async def _new(self, request: web.Request) -> web.Response:
        """Serve a page of the newest posts of the subreddits named, or of all."""
        return self._page(request, self._world.posts, lambda post, now_ms: link(post, self._world.communities, now_ms))

    async def _comments(self, request: web.Request) -> web.Response:
        """Serve a page of the newest comments of the subreddits named, or of all."""
        return self._page(request, self._world.replies, comment)

    async def _new_feed(self, request: web.Request) -> web.Response:
        """Serve the page of :meth:`_new` as a feed."""
        return _as_feed(await self._new(request))

    async def _comments_feed(self, request: web.Request) -> web.Response:
        """Serve the page of :meth:`_comments` as a feed."""
        return _as_feed(await self._comments(request))

    def _page(
        self, request: web.Request, items: Callable[[str, str | None], Timeline[T]], thing: Callable[[T, int], Thing]
    ) -> web.Response:
        """Serve a page of the ``items`` in ``a+b+c``. It leaves out removed ones; after an unknown one it is empty."""
        now_ms, limit = self._clock(), _limit(request)
        names = set(request.match_info["places"].lower().split("+"))
        places = {None} if names in ({"all"}, {"popular"}) else names & self._world.communities.keys()
        if not places:
            return _elsewhere(request)
        after = request.query.get("after")
        anchor = self._world.find(f"reddit:{after}", now_ms) if after else None
        if after and anchor is None:
            return answer(listing([]))
        page = newest_page(
            [items("reddit", name) for name in places],
            now_ms,
            lambda item: not item.gone(now_ms),
            limit,
            after=place(anchor) if anchor is not None else None,
        )
        return answer(
            listing(
                [thing(item, now_ms) for item in page],
                after=page[-1].native if len(page) == limit else None,
                before=page[0].native if page and anchor is not None else None,
            )
        )

    async def _info(self, request: web.Request) -> web.Response:
        """Serve posts and comments by fullname, 100 at most."""
        now_ms = self._clock()
        things: list[Thing] = []
        for name in request.query.get("id", "").split(",")[:MOST]:
            item = self._world.find(f"reddit:{name}", now_ms)
            if isinstance(item, Post):
                things.append(link(item, self._world.communities, now_ms))
            elif isinstance(item, Reply):
                things.append(comment(item, now_ms))
        return answer(listing(things))


def _as_feed(page: web.Response) -> web.Response:
    if page.status != 200 or not isinstance(page.body, bytes):
        return page
    things = json.loads(page.body)["data"]["children"]
    return web.Response(body=atom.encode({"entries": [atom.entry(thing) for thing in things]}), content_type=ATOM_TYPE)


def _limit(request: web.Request) -> int:
    asked = request.query.get("limit", "")
    return max(1, min(int(asked), MOST)) if asked.isdecimal() else PAGE


def _decoded(credentials: str) -> str:
    try:
        return b64decode(credentials).decode()
    except ValueError:
        return ""


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message, "error": status}, status=status, headers=headers)


def _elsewhere(request: web.Request) -> web.Response:
    """Redirect a request for an unknown subreddit to the search, as Reddit does."""
    name = quote(request.match_info["places"])
    return web.Response(status=302, headers={"Location": f"/subreddits/search?q={name}"})
