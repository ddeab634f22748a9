"""Requests to YouTube: the channels' feeds, and the three lists of the Data API that the collector needs.

Owns paths and parameters. Must never know what an item means, what a request costs, nor ask again. The key travels in a
header, so that no message and no log of a proxy shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from ingest.collector import CollectorContext
from ingest.http import JsonClient, PageClient
from ingest.platforms.youtube.answers import Resources, refusal, resources_of
from ingest.platforms.youtube.atom import videos_of
from ingest.platforms.youtube.config import YouTubeConfig
from transport.errors import RetryLaterError

LIST_IDS: Final = 50
"""Most ids in a request."""
PAGE_COMMENTS: Final = 100
"""Most comments on a page."""


class YouTubeClient:
    """See https://developers.google.com/youtube/v3/docs. Every method raises errors of :mod:`ingest.errors`."""

    def __init__(self, config: YouTubeConfig, context: CollectorContext) -> None:
        headers = {"X-Goog-Api-Key": config.api_key.get_secret_value()}
        self._json = JsonClient(config, context, str(config.api_url), headers, refusal=refusal)
        self._feeds_url = f"{str(config.feeds_url).rstrip('/')}/feeds/videos.xml?channel_id="
        self._pages = PageClient(config, context, [str(config.feeds_url)])

    async def feed(self, channel: str) -> Resources:
        """Return the latest 15 videos of a channel. Costs no unit."""
        page = await self._pages.fetch(self._feeds_url + channel)
        if page.status != 200:
            raise RetryLaterError(f"the feed of channel {channel} answers with HTTP status {page.status}")
        return Resources(list(videos_of(page.body)), None, page.witnessed_ms)

    async def channels(self, ids: Sequence[str]) -> Resources:
        """Return up to 50 channels. Costs a unit."""
        return await self._list("channels", part="id,statistics", id=",".join(ids), maxResults=str(LIST_IDS))

    async def videos(self, ids: Sequence[str]) -> Resources:
        """Return up to 50 videos as they are now; those that are gone are left out. Costs a unit."""
        return await self._list("videos", part="snippet,statistics", id=",".join(ids), maxResults=str(LIST_IDS))

    async def comments(self, video: str, page_token: str | None) -> Resources:
        """Return a page of the threads below a video, newest first. Costs a unit.

        Raises:
            NoCommentsError: the video has none, or is gone.
        """
        token = {} if page_token is None else {"pageToken": page_token}
        return await self._list(
            "commentThreads",
            part="snippet,replies",
            videoId=video,
            order="time",
            textFormat="plainText",
            maxResults=str(PAGE_COMMENTS),
            **token,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()
        await self._pages.close()

    async def _list(self, name: str, **params: str) -> Resources:
        what = f"/youtube/v3/{name}"
        return resources_of(await self._json.get(f"{what}?{urlencode(params)}"), what)
