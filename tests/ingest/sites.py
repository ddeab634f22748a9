"""Small platforms on loopback, scripted by a test: real HTTP, every answer chosen.

The simulated world (``hubbub.world``) is for whole runs; here a test says what the platform has and how it fails.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

from hubbub.world.platforms.reddit import atom

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Thing = dict[str, object]

CREATED_S = 1_704_210_000
NOW_MS = 1_704_213_600_000


def status(code: int, headers: dict[str, str] | None = None, body: str = "") -> Answer:
    """Answer with a status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers, text=body)

    return answer


def body(text: str) -> Answer:
    """Answer 200 with a body that is labelled as JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    return answer


async def hang(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(3600)
    return web.Response()


async def drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


class Site:
    """A web server. ``requests``: what was asked; ``next_answers``: given, in order, instead of the site's own."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.next_answers: deque[Answer] = deque()
        self.answer_for: dict[str, Answer] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.path in self.answer_for:
            return await self.answer_for[request.path](request)
        if self.next_answers and not self.is_token(request):
            return await self.next_answers.popleft()(request)
        return await self.answer(request)

    def is_token(self, request: web.Request) -> bool:
        return request.path.startswith("/api/v1/access_token")

    def asked(self) -> list[str]:
        """Return the paths asked for, tokens left out."""
        return [request.path for request in self.requests if not self.is_token(request)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError


def submission(number: int, **changes: object) -> Thing:
    """Return a t3 created ``number`` seconds after the others began."""
    name = f"t3_{number:05}"
    data: Thing = {
        "name": name,
        "title": f"Post {number}",
        "author": "somebody",
        "subreddit": "test",
        "subreddit_subscribers": 1000,
        "created_utc": float(CREATED_S + number),
        "is_self": False,
        "url": f"https://example.org/{number}",
        "permalink": f"/r/test/comments/{number:05}/post/",
        "score": 10,
        "num_comments": 2,
        "upvote_ratio": 0.9,
    }
    return {"kind": "t3", "data": data | changes}


def comment(number: int, post: int, **changes: object) -> Thing:
    """Return a t1 in the thread of a post."""
    data: Thing = {
        "name": f"t1_{number:05}",
        "link_id": f"t3_{post:05}",
        "author": "somebody else",
        "subreddit": "test",
        "body": "Well.",
        "created_utc": float(CREATED_S + number),
        "permalink": f"/r/test/comments/{post:05}/post/{number:05}/",
        "score": 1,
        "score_hidden": False,
    }
    return {"kind": "t1", "data": data | changes}


class RedditSite(Site):
    """``posts`` and ``comments``, oldest first; listings reach back ``reach`` things."""

    def __init__(self, reach: int = 1000) -> None:
        super().__init__()
        self.reach = reach
        self.posts: list[Thing] = []
        self.comments: list[Thing] = []
        self.unlisted: list[Thing] = []
        self.headers: dict[str, str] = {}

    def thread(self, post: str) -> list[Thing]:
        """Return a post and its comments, one below the other, and a marker of more."""
        tree: object = ""
        for thing in self.comments:
            if thing["data"]["link_id"] == post:  # type: ignore[index]
                nested = {"kind": "t1", "data": {**thing["data"], "replies": tree}}  # type: ignore[dict-item]
                more = {"kind": "more", "data": {"count": 9, "children": ["x"]}}
                tree = {"kind": "Listing", "data": {"children": [nested, more]}}
        posts = [thing for thing in self.posts if thing["data"]["name"] == post]  # type: ignore[index]
        return [{"kind": "Listing", "data": {"children": posts}}, {"kind": "Listing", "data": {"children": [tree]}}]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if self.is_token(request):
            return web.json_response({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"})
        after: str | None = None
        if path.startswith("/comments/"):
            return web.json_response(self.thread(f"t3_{path.removeprefix('/comments/').rstrip('/')}"))
        if path.startswith("/api/info"):
            wanted = request.query["id"].split(",")
            assert 0 < len(wanted) <= 100
            known = {thing["data"]["name"]: thing for thing in [*self.posts, *self.comments, *self.unlisted]}  # type: ignore[index]
            page = [known[name] for name in wanted if name in known]
        else:
            of_comments = path.endswith(("/comments", "/comments.rss"))
            things = (self.comments if of_comments else self.posts)[::-1][: self.reach]
            names = [str(thing["data"]["name"]) for thing in things]  # type: ignore[index]
            start = len(names)  # after a thing that is not listed there is nothing
            if (anchor := request.query.get("after")) in {None, *names}:
                start = 0 if anchor is None else names.index(anchor) + 1
            limit = int(request.query["limit"])
            page = things[start : start + limit]
            after = names[start + limit - 1] if start + limit < len(things) else None
        if path.endswith(".rss"):
            feed = atom.encode({"entries": [atom.entry(thing) for thing in page]})
            return web.Response(body=feed, content_type="application/atom+xml", headers=self.headers)
        listing = {"kind": "Listing", "data": {"after": after, "before": None, "dist": len(page), "children": page}}
        return web.json_response(listing, headers=self.headers)


class HackerNewsSite(Site):
    """``items`` by id; what is not there is null."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[int, object] = {}
        self.front_page: list[int] = []
        self.updates: list[int] = []
        self.newest_id: int | None = None

    def story(self, id_: int, **changes: object) -> None:
        """Add a story."""
        story: Thing = {
            "id": id_,
            "type": "story",
            "by": "somebody",
            "time": CREATED_S + id_,
            "title": f"Story {id_}",
            "url": f"https://example.org/{id_}",
            "score": 5,
            "descendants": 1,
        }
        self.items[id_] = story | changes

    def comment(self, id_: int, parent: int, **changes: object) -> None:
        """Add a comment."""
        comment: Thing = {
            "id": id_,
            "type": "comment",
            "by": "somebody else",
            "time": CREATED_S + id_,
            "text": "Well.",
            "parent": parent,
        }
        self.items[id_] = comment | changes

    def hits(self, begin_s: int, end_s: int) -> list[Thing]:
        """Return what Algolia's index has of the items created in a window, newest first."""
        found: list[Thing] = []
        for item in self.items.values():
            if not isinstance(item, dict) or not begin_s <= item["time"] < end_s:
                continue
            is_comment = item["type"] == "comment"
            hit = {"objectID": str(item["id"]), "created_at_i": item["time"], "author": item.get("by")}
            hit |= {"title": item.get("title"), "url": item.get("url"), "points": item.get("score")}
            hit |= {"comment_text" if is_comment else "story_text": item.get("text"), "_tags": [item["type"]]}
            found.append(hit | ({"story_id": item["parent"], "parent_id": item["parent"]} if is_comment else {}))
        return sorted(found, key=lambda hit: str(hit["created_at_i"]), reverse=True)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/search_by_date":
            begin_s, end_s = map(int, re.findall(r"\d+", request.query["numericFilters"]))
            hits = self.hits(begin_s, end_s)
            return web.json_response({"hits": hits[: int(request.query["hitsPerPage"])], "nbHits": len(hits)})
        match request.path.removeprefix("/v0/").removesuffix(".json").split("/"):
            case ["maxitem"]:
                return web.json_response(max(self.items, default=0) if self.newest_id is None else self.newest_id)
            case ["topstories" | "beststories" | "askstories"]:
                return web.json_response(self.front_page)
            case ["updates"]:
                return web.json_response({"items": self.updates, "profiles": []})
            case ["item", id_]:
                return web.json_response(self.items.get(int(id_)))
        return web.Response(status=404)
