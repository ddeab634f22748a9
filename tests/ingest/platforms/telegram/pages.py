"""Preview pages as t.me writes them, by hand, and a site that serves them."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from aiohttp import web

from tests.ingest.sites import NOW_MS, Site

__all__ = ["TelegramSite", "message", "page"]


def message(number: int, text: str | None = None, *, channel: str = "AiWire", **parts: str) -> str:
    """Return a message; ``parts``: HTML that stands before and after its text, or replaces its time and views."""
    at = datetime.fromtimestamp(NOW_MS / 1000 - 3600 + number, UTC).isoformat()
    said = (
        "" if text == "" else f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text or number}</div>'
    )
    return f"""
<div class="tgme_widget_message_wrap js-widget_message_wrap">
<div class="tgme_widget_message text_not_supported_wrap js-widget_message {parts.get("classes", "")}"
 data-post="{channel}/{number}" data-view="eyJjIjotMTAwfQ">
<div class="tgme_widget_message_user"><a href="https://t.me/{channel}">
<i class="tgme_widget_message_user_photo bgcolor2"><img src="https://cdn.example.org/photo.jpg"></i></a></div>
<div class="tgme_widget_message_bubble">
<i class="tgme_widget_message_bubble_tail"><svg class="bubble_icon" width="9px"><path d="M8,1"/></svg></i>
<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name"
 href="https://t.me/{channel}"><span dir="auto">AI Wire</span></a></div>
{parts.get("before", "")}{said}{parts.get("after", "")}
<div class="tgme_widget_message_footer compact js-message_footer">
<div class="tgme_widget_message_info short js-message_info">
<span class="tgme_widget_message_views">{parts.get("views", "1.2K")}</span><span class="copyonly"> views</span>
<span class="tgme_widget_message_meta">{parts.get("edited", "")}<a class="tgme_widget_message_date"
 href="https://t.me/{channel}/{number}"><time datetime="{parts.get("time", at)}" class="time">10:00</time></a></span>
</div></div></div></div></div>"""


def page(*messages: str, title: str = "AI Wire &amp; more", subscribers: str = "41.2K", channel: str = "AiWire") -> str:
    """Return a page with messages, oldest first."""
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title} – Telegram</title>
<link rel="canonical" href="/s/{channel}?before=1"></head><body class="widget_frame_base tgme_webpreview">
<header class="tgme_header"><div class="tgme_header_title">{title}</div></header><main class="tgme_main">
<div class="tgme_channel_info"><div class="tgme_channel_info_header">
<div class="tgme_channel_info_header_title"><span dir="auto">{title}</span></div>
<div class="tgme_channel_info_header_username"><a href="https://t.me/{channel}">@{channel}</a></div></div>
<div class="tgme_channel_info_counters">
<div class="tgme_channel_info_counter"><span class="counter_value">{subscribers}</span>
<span class="counter_type">subscribers</span></div>
<div class="tgme_channel_info_counter"><span class="counter_value">77</span>
<span class="counter_type">photos</span></div>
</div></div>
<section class="tgme_channel_history js-message_history">{"".join(messages)}</section></main></body></html>"""


class TelegramSite(Site):
    """``messages``: HTML by channel and number. A channel without an entry has no preview."""

    def __init__(self, page_items: int = 20) -> None:
        super().__init__()
        self.page_items = page_items
        self.messages: dict[str, dict[int, str]] = {"aiwire": {}}

    def write(self, *numbers: int, channel: str = "aiwire", **parts: str) -> None:
        """Add messages."""
        for number in numbers:
            text = parts.pop("text", None)
            self.messages[channel][number] = message(number, text, channel=channel, **parts)

    def views(self, number: int, views: str) -> None:
        """Change the views of a message."""
        self.write(number, views=views)

    @property
    def pages(self) -> list[str]:
        """What was asked for."""
        return [str(request.rel_url) for request in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        channel = request.path.removeprefix("/s/").lower()
        if channel not in self.messages:
            return web.Response(status=302, headers={"Location": f"/{escape(channel)}"})
        limit = int(request.query.get("before", 10**9))
        numbers = [number for number in sorted(self.messages[channel]) if number < limit][-self.page_items :]
        return web.Response(text=page(*(self.messages[channel][n] for n in numbers)), content_type="text/html")
