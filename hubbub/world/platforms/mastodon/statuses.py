"""Statuses of Mastodon: the JSON of an item of a world.

Owns every field of a status and of its account. Must never know routes, nor which timeline shows an item.
Source: https://docs.joinmastodon.org/entities/Status/, and recorded sessions of Mastodon.py.
"""

from datetime import UTC, datetime
from html import escape

from hubbub.world.items import Item, Post, Reply

HERE = "social.example.org"
"""The host of the simulated instance. It knows the statuses of all others."""
TAG = "ai"
"""The hashtag of the posts that are about a story."""


def number_of(item: Item) -> str:
    """Return the local id of an item. (On real instances a status from elsewhere has another one.)"""
    return item.native.rpartition("/")[2]


def status(item: Item, now_ms: int) -> dict[str, object]:
    """Return the status of ``item``, a post or a reply, with its counts at ``now_ms``."""
    host, number = item.native.split("/")
    name = (item.author or "").partition("@")[0]
    likes, replies, _, shares, _ = item.totals(now_ms) if isinstance(item, Post) else item.votes.at(now_ms)
    link = item.url if isinstance(item, Post) else None
    return {
        "id": number,
        "created_at": time(item.created_ms),
        "in_reply_to_id": number_of(item.parent) if isinstance(item, Reply) else None,
        "in_reply_to_account_id": "1" if isinstance(item, Reply) else None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "en",
        "uri": f"https://{host}/users/{name}/statuses/{number}",
        "url": f"https://{host}/@{name}/{number}",
        "replies_count": _replies(item, now_ms) if replies is None else replies,
        "reblogs_count": shares or 0,
        "favourites_count": max(0, likes or 0),
        "edited_at": None,
        "content": content(item.text, link),
        "reblog": None,
        "account": _account(name, host, item.followers),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": TAG, "url": f"https://{HERE}/tags/{TAG}"}] if is_tagged(item, TAG) else [],
        "emojis": [],
        "card": None if link is None else {"url": link, "title": "", "description": "", "type": "link"},
        "poll": None,
    }


def is_tagged(item: Item, tag: str) -> bool:
    """Return whether a status has a hashtag: those of stories have one."""
    return tag == TAG and isinstance(item, Post) and item.story is not None


def content(text: str, link: str | None) -> str:
    """Return a text and a link as Mastodon writes them."""
    paragraphs = [escape(paragraph).replace("\n", "<br />") for paragraph in text.split("\n\n") if paragraph]
    if link is not None:
        shown = escape(link.partition("://")[2])
        paragraphs.append(
            f'<a href="{escape(link)}" target="_blank" rel="nofollow noopener" translate="no">'
            f'<span class="invisible">https://</span><span class="ellipsis">{shown[:30]}</span>'
            f'<span class="invisible">{shown[30:]}</span></a>'
        )
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def time(at_ms: int) -> str:
    """Return a time as Mastodon writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _account(name: str, host: str, followers: int | None) -> dict[str, object]:
    return {
        "id": str(sum(map(ord, name + host))),
        "username": name,
        "acct": name if host == HERE else f"{name}@{host}",
        "display_name": name.replace("_", " ").title(),
        "locked": False,
        "bot": False,
        "discoverable": True,
        "indexable": False,
        "group": False,
        "url": f"https://{host}/@{name}",
        "uri": f"https://{host}/users/{name}",
        "followers_count": followers or 0,
        "following_count": 100,
        "statuses_count": 1000,
        "emojis": [],
        "fields": [],
    } | ({"noindex": False} if host == HERE else {})


def _replies(item: Item, now_ms: int) -> int:
    return sum(reply.there(now_ms) and not reply.gone(now_ms) for reply in item.replies)
