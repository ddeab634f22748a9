"""What a firehose costs of a core: Bluesky's, over a real socket. Run: python -m benchmarks.bench_firehose [--json].

A process of its own plays Jetstream, as fast as it is read. The figure is CPU time, so it does not depend on what else
the machine does. Two events of a hundred are about the beat; the others are posts, replies and reposts elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection

from aiohttp import web

from hubbub.process.collect_role import relevance_to
from ingest.collector import CollectorContext
from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.bluesky.collector import BlueskyCollector
from ingest.platforms.bluesky.config import BlueskyConfig

EVENTS = 40_000
EVENTS_PER_SECOND = 2_000
RELEVANT = 0.02
WORDS = (
    "the",
    "of",
    "my",
    "dog",
    "morning",
    "coffee",
    "again",
    "why",
    "people",
    "never",
    "today",
    "game",
    "train",
    "rain",
)
TOPICS = ("OpenAI", "a language model", "ChatGPT", "the EU AI Act")
POSTS, REPOSTS = "app.bsky.feed.post", "app.bsky.feed.repost"
METHOD = "network.bsky.jetstream.subscribeEvents"


def frames(now_us: int) -> list[str]:
    """Return what Jetstream sends, with the size and the parts of its recorded events."""
    rng = random.Random(1)
    relevant: list[str] = []
    others = [f"at://{_did(rng)}/{POSTS}/3mm{number:010}" for number in range(1_000)]
    written = []
    for seq in range(1, EVENTS + 1):
        did, rkey, at_us = _did(rng), f"3mn{seq:010}", now_us + seq
        about = rng.random() < RELEVANT
        kind = "post" if about and not relevant else rng.choice(("post", "reply", "repost"))
        time_ = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_us / 1e6))
        collection = REPOSTS if kind == "repost" else POSTS
        record: dict[str, object] = {"$type": collection, "createdAt": f"{time_}.000Z"}
        target = {"cid": "bafyrei" + "a" * 52, "uri": rng.choice(relevant if about and relevant else others)}
        if kind == "repost":
            record["subject"] = target
        else:
            said = " ".join(rng.choices(WORDS, k=rng.randint(4, 50)))
            record |= {"langs": ["en"], "text": f"{said} {rng.choice(TOPICS)}" if about and kind == "post" else said}
        if kind == "reply":
            record["reply"] = {"root": target, "parent": target}
        if kind == "post" and about:
            relevant.append(f"at://{did}/{POSTS}/{rkey}")
        payload = {"$type": f"{METHOD}#commit", "seq": seq, "did": did, "time": f"{time_}.{at_us % 1_000_000:06}Z"}
        payload |= {"rev": rkey, "operation": "create", "collection": collection, "rkey": rkey, "record": record}
        written.append(json.dumps({"$type": "message", "payload": payload | {"cid": "bafyrei" + "b" * 52}}))
    return written


def _did(rng: random.Random) -> str:
    return "did:plc:" + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=24))


def serve(started: Connection) -> None:
    """Play Jetstream and the AppView until the process is ended."""

    async def stream(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("xrpc.v1.json",))
        await socket.prepare(request)
        for frame in frames(int(time.time() * 1e6)):
            await socket.send_str(frame)
        await socket.receive()
        return socket

    async def profiles(_: web.Request) -> web.Response:
        return web.json_response({"profiles": []})

    async def posts(_: web.Request) -> web.Response:
        return web.json_response({"posts": []})

    async def run() -> None:
        app = web.Application()
        app.router.add_get(f"/xrpc/{METHOD}", stream)
        app.router.add_get("/xrpc/app.bsky.actor.getProfiles", profiles)
        app.router.add_get("/xrpc/app.bsky.feed.getPosts", posts)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        started.send(site.port)
        await asyncio.Event().wait()

    asyncio.run(run())


async def measure(url: str) -> dict[str, float]:
    """Read all events; return what that took."""
    config = BlueskyConfig.model_validate({"hosts": [url], "v1_hosts": [], "appview_url": url})
    limiter = RateLimiter("bluesky", config.requests_per_minute)
    context = CollectorContext(limiter, lambda: int(time.time() * 1000), relevance=relevance_to(["ai"]))
    collector = BlueskyCollector(config, None, context)
    read, published = 0, 0
    began_at = time.process_time()
    while read + len(collector._selection._early) < EVENTS:  # noqa: SLF001 (those that wait for their thread are read, too)
        signals, _ = await anext(collector)
        read, published = read + signals.read, published + len(signals.signals)
    cpu_seconds = time.process_time() - began_at
    await collector.aclose()
    return {
        "events": EVENTS,
        "published": published,
        "microseconds_of_cpu_per_event": round(1e6 * cpu_seconds / EVENTS, 1),
        "share_of_a_core_at_2000_per_second": round(cpu_seconds / EVENTS * EVENTS_PER_SECOND, 3),
    }


def main() -> None:
    """Measure and print."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        figures = asyncio.run(measure(f"http://127.0.0.1:{ours.recv()}"))
    finally:
        server.terminate()
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:40} {figure:>10,}")


if __name__ == "__main__":
    main()
