"""Requests to Telegram: one preview page at a time.

Owns the addresses of pages, and what an answer without messages means. Must never know what a message means, nor ask
again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ingest.collector import CollectorContext
from ingest.http import PageClient
from ingest.platforms.telegram.config import TelegramConfig
from ingest.platforms.telegram.page import ChannelPage, read_page
from transport.errors import RetryLaterError

__all__ = ["Fetched", "TelegramClient"]

MAX_PAGE_BYTES: Final = 2_097_152
"""Largest page. Those of 20 messages have some 150 kB."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page, and when it arrived."""

    page: ChannelPage
    witnessed_ms: int


class TelegramClient:
    """Reads the preview pages below ``base_url``."""

    def __init__(self, config: TelegramConfig, context: CollectorContext) -> None:
        self._base_url = str(config.base_url).rstrip("/")
        self._pages = PageClient(config, context, [self._base_url], max_body_bytes=MAX_PAGE_BYTES)

    async def page(self, channel: str, before: int | None = None) -> Fetched | None:
        """Return the newest page of a channel, or the one before a message.

        Return None if Telegram shows no preview of the channel: it redirects to an invitation then.

        Raises:
            CollectError: the page cannot be had now.
        """
        url = f"{self._base_url}/s/{channel}" + ("" if before is None else f"?before={before}")
        response = await self._pages.fetch(url)
        if response.status != 200:
            return None
        page = await asyncio.to_thread(read_page, response.body)  # it takes some 30 ms
        if not page.is_telegram:
            raise RetryLaterError(f"{url} is no page of Telegram: {response.body[:80]!r}")
        return Fetched(page, response.witnessed_ms)

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()
