"""A sender: it posts what is new or changed to the webhook, until the webhook says that it has it.

Owns which items are sent when, and sending again: at least once. Must never know whether the world was generated or
recorded, nor how the webhook works. It shares no code with it.
"""

import asyncio
import json
from typing import Final

import aiohttp

from hubbub.clock import Clock
from hubbub.world.items import Post
from hubbub.world.world import World

__all__ = ["TOKEN", "outbox", "push"]

TOKEN: Final = "the-token-of-the-simulated-world"  # noqa: S105 (the world is simulated)
SENDS: Final = ("newsletter",)
"""The sources of the world that have no collector of their own."""
POLL_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 0.2
TIMEOUT: Final = aiohttp.ClientTimeout(total=40)


async def push(world: World, clock: Clock, url: str) -> None:
    """Send to the webhook at ``url`` until cancelled. It need not listen yet."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/x-ndjson"}
    sent: dict[str, dict[str, object]] = {}
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session:
        while True:
            items = [item for item in outbox(world, clock()) if sent.get(str(item["id"])) != _without_time(item)]
            if items:
                await _send(session, f"{url}/v1/signals", b"".join(json.dumps(item).encode() + b"\n" for item in items))
                sent.update((str(item["id"]), _without_time(item)) for item in items)
            await asyncio.sleep(POLL_SECONDS)


async def _send(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    """Send until the answer is final: taken, or refused for what it says."""
    while True:
        try:
            async with session.post(url, data=body) as answer:
                if answer.status not in {408, 429, 503} and answer.status < 500:
                    return
                pause_seconds = float(answer.headers.get("Retry-After", RETRY_SECONDS))
        except (aiohttp.ClientError, TimeoutError):
            pause_seconds = RETRY_SECONDS
        await asyncio.sleep(pause_seconds)


def outbox(world: World, now_ms: int) -> list[dict[str, object]]:
    """Return what there is to send: every issue as it is now, oldest first."""
    return [_signal(post, world, now_ms) for name in SENDS for post in world.posts(name).items if post.there(now_ms)]


def _signal(post: Post, world: World, now_ms: int) -> dict[str, object]:
    """Return an issue in the form of docs/reference/contracts.md."""
    found: dict[str, object] = {
        "id": post.signal_id,
        "kind": "post",
        "platform": post.platform,
        "thread": post.signal_id,
        "created_ms": post.created_ms,
        "observed_ms": now_ms,
    }
    if post.gone(now_ms):
        return found | {"deleted": True}
    found |= {"title": post.title, "text": post.text, "url": post.url}
    if post.author is not None:
        found["author"] = {"name": post.author, "followers": post.followers}
    if post.community is not None:
        place = world.communities.get(post.community.lower())
        found["community"] = {"name": post.community, "members": None if place is None else place.members}
    totals = post.totals(now_ms)
    counts = {"likes": totals.likes, "views": totals.views, "shares": totals.shares}
    return found | {"counts": {name: count for name, count in counts.items() if count is not None}}


def _without_time(item: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in item.items() if key != "observed_ms"}
