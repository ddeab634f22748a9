"""A small YouTube, scripted by a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from hubbub.world.platforms.youtube.resources import feed_of, iso, listing
from ingest.batch import Batch, Cursor, Signals
from ingest.platforms.youtube.collector import YouTubeCollector
from ingest.platforms.youtube.config import YouTubeConfig
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.sites import Site

Resource = dict[str, object]

NOON_MS = 1_764_532_800_000  # 2025-11-30T20:00:00Z, noon in Los Angeles
HOUR_MS = 3_600_000
CHANNEL = "UC" + "a" * 22
OTHER = "UC" + "b" * 22


def video(number: int, created_ms: int = NOON_MS - HOUR_MS, **counts: str) -> Resource:
    """Return a video of CHANNEL."""
    return {
        "kind": "youtube#video",
        "id": f"video{number:06}",
        "snippet": {
            "publishedAt": iso(created_ms + number * 1000),
            "channelId": CHANNEL,
            "channelTitle": "A Channel",
            "title": f"Video {number}",
            "description": "About it.",
        },
        "statistics": {"viewCount": "1000", "likeCount": "50", "commentCount": "0"} | counts,
    }


def comment(number: int, video_id: str, created_ms: int = NOON_MS - HOUR_MS // 2) -> Resource:
    """Return a comment."""
    return {
        "kind": "youtube#comment",
        "id": f"comment{number:06}",
        "snippet": {
            "videoId": video_id,
            "authorDisplayName": "@somebody",
            "textDisplay": f"comment {number}",
            "textOriginal": f"comment {number}",
            "likeCount": 3,
            "publishedAt": iso(created_ms + number * 1000),
        },
    }


def problem(status: int, reason: str) -> web.Response:
    """Return a refusal as YouTube writes it."""
    error = {"message": "Sorry.", "domain": "youtube.quota", "reason": reason}
    return web.json_response({"error": {"code": status, "message": "Sorry.", "errors": [error]}}, status=status)


class YouTubeSite(Site):
    """``videos`` of CHANNEL, newest last; ``comments`` by video, newest last. ``units``: spent."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: list[Resource] = []
        self.hidden: set[str] = set()
        self.comments: dict[str, list[Resource]] = {}
        self.units = 0
        self.refuse: dict[str, tuple[int, str]] = {}

    def asked_api(self) -> list[str]:
        """Return the lists asked for, without the feeds."""
        return [path.rpartition("/")[2] for path in self.asked() if path.startswith("/youtube/v3/")]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/feeds/videos.xml":
            mine = self.videos if request.query["channel_id"] == CHANNEL else []
            return web.Response(body=feed_of(mine[: -15 - 1 : -1]), content_type="text/xml")
        self.units += 1
        assert request.headers["X-Goog-Api-Key"] == "secret-key"
        assert "secret-key" not in str(request.url)
        name = request.path.rpartition("/")[2]
        if (refused := self.refuse.get(name)) is not None:
            return problem(*refused)
        match name:
            case "channels":
                found: Resource = {
                    "kind": "youtube#channel",
                    "id": CHANNEL,
                    "statistics": {"subscriberCount": "123000"},
                }
                return web.json_response(listing("channel", [found]))
            case "videos":
                ids = request.query["id"].split(",")
                assert len(ids) <= 50
                shown = [item for item in self.videos if item["id"] in ids and item["id"] not in self.hidden]
                return web.json_response(listing("video", shown))
        assert name == "commentThreads"
        return web.json_response(self._threads(request.query["videoId"], int(request.query.get("pageToken", "0"))))

    def _threads(self, video_id: str, begin: int) -> Resource:
        comments = self.comments.get(video_id, [])[::-1]
        page = [
            {
                "kind": "youtube#commentThread",
                "id": item["id"],
                "snippet": {"videoId": video_id, "topLevelComment": item, "totalReplyCount": 0},
            }
            for item in comments[begin : begin + 100]
        ]
        return listing("commentThread", page, str(begin + 100) if begin + 100 < len(comments) else None)


class Clock(FakeClock):
    """Real seconds, and the items' time that goes with them."""

    def now_ms(self) -> int:
        """Return the items' time."""
        return NOON_MS + int((self.now - 1_000) * 1_000)


def config(url: str, **changes: object) -> YouTubeConfig:
    options: dict[str, object] = {
        "api_key": "secret-key",
        "api_url": url,
        "feeds_url": url,
        "channels": [CHANNEL],
        "request_timeout_seconds": 30,
    }
    return YouTubeConfig.model_validate(options | changes)


@asynccontextmanager
async def collecting(
    site: YouTubeSite, clock: Clock, cursor: Cursor | None = None, **changes: object
) -> AsyncIterator[YouTubeCollector]:
    collector = YouTubeCollector(config(site.url, **changes), cursor, context(clock.now_ms, clock))
    try:
        yield collector
    finally:
        await collector.aclose()


async def polls(collector: YouTubeCollector, count: int) -> Batch:
    """Return what ``count`` polls give together, and the last cursor."""
    together, cursor = Signals(), b""
    for _ in range(count):
        signals, cursor = await anext(collector)
        together.extend([signals])
    return Batch(together, cursor)


def ids(signals: Signals) -> list[str]:
    return [signal.id.removeprefix("youtube:") for signal in signals.signals]
