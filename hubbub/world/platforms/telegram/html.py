"""The HTML of Telegram's preview pages, written and read back.

Owns the tags and classes, in the form of t.me/s pages. Must never know the world. Reading back is for tests that change
items; it knows this form only, and shares no code with the collector.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

_HEAD = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body class="widget_frame_base tgme_webpreview">'
    '<div class="tgme_channel_info"><div class="tgme_channel_info_header_title"><span dir="auto">{title}</span></div>'
    '<div class="tgme_channel_info_counters"><div class="tgme_channel_info_counter"><span class="counter_value">'
    '{subscribers}</span> <span class="counter_type">subscribers</span></div><div class="tgme_channel_info_counter">'
    '<span class="counter_value">1.02K</span> <span class="counter_type">photos</span></div></div></div>'
    '<section class="tgme_channel_history js-message_history">'
)
_PARTS = {
    "forwarded_url": '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from <a class='
    '"tgme_widget_message_forwarded_from_name" href="{}"><span dir="auto">A channel</span></a></div>',
    "text": '<div class="tgme_widget_message_text js-message_text" dir="auto">{}</div>',
    "preview_url": '<a class="tgme_widget_message_link_preview" href="{}"><div class="link_preview_site_name '
    'accent_color" dir="auto">A site</div></a>',
    "reactions": '<div class="tgme_widget_message_reactions js-message_reactions">{}</div>',
    "views": '<span class="tgme_widget_message_views">{}</span><span class="copyonly"> views</span>',
    "time": '<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" href="#"><time datetime="{}"'
    ' class="time">10:00</time></a></span>',
}
_REACTION = '<span class="tgme_reaction"><i class="emoji" style="background-image:url(\'#\')"><b>👍</b></i>{}</span>'
_MESSAGE = (
    '<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message '
    'text_not_supported_wrap js-widget_message"{post} data-view="e30"><div class="tgme_widget_message_bubble">'
    '<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" href="#">A channel'
    "</a></div>"
    "{parts}</div></div></div>"
)


def encode(page: object) -> bytes:
    """Return a page as HTML. ``page``: the title, the subscribers and the messages, whose values may be anything."""
    value = page if isinstance(page, dict) else {}
    messages = value.get("messages")
    shown = (
        "".join(_message(message) for message in messages if isinstance(message, dict))
        if isinstance(messages, list)
        else ""
    )
    head = _HEAD.format(title=_text(value.get("title")), subscribers=_text(value.get("subscribers")))
    return f"{head}{shown}</section></body></html>".encode("utf-8", "replace")


def decode(body: bytes) -> object:
    """Return what :func:`encode` wrote."""
    text = body.decode()
    head, *messages = text.split('<div class="tgme_widget_message_wrap')
    title = re.search(r'header_title"><span dir="auto">(.*?)</span>', head, re.DOTALL)
    subscribers = re.search(r'"counter_value">(.*?)</span>', head, re.DOTALL)
    return {
        "title": unescape(title[1]) if title else "",
        "subscribers": unescape(subscribers[1]) if subscribers else "",
        "messages": [_read(message) for message in messages],
    }


def _message(message: dict[str, object]) -> str:
    if message.get("deleted"):
        return ""
    post = f' data-post="{_text(message["post"])}"' if "post" in message else ""
    parts = "".join(form.format(_value(name, message[name])) for name, form in _PARTS.items() if name in message)
    return _MESSAGE.format(post=post, parts=parts)


def _value(name: str, value: object) -> str:
    if name != "reactions":
        return _text(value)
    return "".join(_REACTION.format(_text(one)) for one in value) if isinstance(value, list) else _text(value)


def _text(value: object) -> str:
    return "" if value is None else escape(str(value)).replace("\n", "<br/>")


def _read(html: str) -> dict[str, object]:
    found: dict[str, object] = {}
    patterns: dict[str, tuple[str, Callable[[str], object]]] = {
        "post": (r' data-post="(.*?)"', _plain),
        **{name: (re.escape(form).replace(r"\{\}", "(.*?)"), _plain) for name, form in _PARTS.items()},
    }
    patterns["reactions"] = (patterns["reactions"][0], lambda inner: re.findall(r"</i>(.*?)</span>", inner))
    for name, (pattern, read) in patterns.items():
        if (match := re.search(pattern, html, re.DOTALL)) is not None:
            found[name] = read(match[1])
    return found


def _plain(html: str) -> str:
    return unescape(html.replace("<br/>", "\n"))
