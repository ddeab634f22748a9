"""Reddit's Things: how posts, comments and communities look in its API.

Owns the JSON of ``t1`` (comment), ``t3`` (link) and ``Listing``. Pure: items and a time in, plain objects out. Must
never know HTTP. Keys and types are those of recorded sessions with reddit.com from 2021 to 2026. Sources:
https://www.reddit.com/dev/api, https://github.com/reddit-archive/reddit/wiki/JSON. Unused keys have their most common
value. A count that a recording lacks is null, which Reddit never sends.
"""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit
from zlib import crc32

from hubbub.world.items import Community, Item, Post, Removal, Reply

Thing = dict[str, object]

SITE = "https://www.reddit.com"

_GONE = {Removal.DELETED: "[deleted]", Removal.REMOVED: "[removed]"}

_ON_BOTH: Thing = {
    "all_awardings": [], "approved_at_utc": None, "approved_by": None, "archived": False,
    "author_flair_background_color": None, "author_flair_css_class": None, "author_flair_richtext": [],
    "author_flair_template_id": None, "author_flair_text": None, "author_flair_text_color": None,
    "author_flair_type": "text", "author_is_blocked": False, "author_patreon_flair": False, "author_premium": False,
    "awarders": [], "banned_at_utc": None, "banned_by": None, "can_gild": False, "can_mod_post": False,
    "distinguished": None, "downs": 0, "edited": False, "gilded": 0, "gildings": {}, "likes": None, "locked": False,
    "mod_note": None, "mod_reason_by": None, "mod_reason_title": None, "mod_reports": [], "no_follow": False,
    "num_reports": None, "removal_reason": None, "report_reasons": None, "saved": False, "send_replies": True,
    "stickied": False, "subreddit_type": "public", "top_awarded_type": None, "total_awards_received": 0,
    "treatment_tags": [], "user_reports": [],
}  # fmt: skip

_LINK: Thing = _ON_BOTH | {
    "allow_live_comments": False, "category": None, "clicked": False, "content_categories": None,
    "contest_mode": False, "discussion_type": None, "hidden": False, "hide_score": False,
    "is_created_from_ads_ui": False, "is_crosspostable": True, "is_meta": False, "is_original_content": False,
    "is_reddit_media_domain": False, "is_robot_indexable": True, "is_video": False, "link_flair_background_color": "",
    "link_flair_css_class": None, "link_flair_richtext": [], "link_flair_text": None, "link_flair_text_color": "dark",
    "link_flair_type": "text", "media": None, "media_embed": {}, "media_only": False, "num_crossposts": 0,
    "over_18": False, "pinned": False, "pwls": 6, "quarantine": False, "removed_by": None,
    "removed_by_category": None, "secure_media": None, "secure_media_embed": {}, "spoiler": False,
    "suggested_sort": None, "thumbnail_height": None, "thumbnail_width": None, "view_count": None, "visited": False,
    "wls": 6,
}  # fmt: skip

_COMMENT: Thing = _ON_BOTH | {
    "associated_award": None, "collapsed": False, "collapsed_because_crowd_control": None, "collapsed_reason": None,
    "collapsed_reason_code": None, "comment_type": None, "controversiality": 0, "replies": "",
    "unrepliable_reason": None,
}  # fmt: skip


def link(post: Post, communities: Mapping[str, Community], now_ms: int) -> Thing:
    """Return a post as a ``t3``; ``communities`` (by name in lower case) tell the members of its subreddit."""
    return {"kind": "t3", "data": _link_data(post, communities, now_ms)}


def comment(reply: Reply, now_ms: int) -> Thing:
    """Return a comment as lists outside its thread show it: a ``t1`` with a word on the post it belongs to."""
    post = reply.post
    permalink = SITE + _permalink(post)
    data = _comment_data(reply, now_ms) | {
        "link_author": post.author or "[deleted]",
        "link_permalink": permalink,
        "link_title": post.title,
        "link_url": post.url or permalink,
        "num_comments": post.totals(now_ms).replies,
        "over_18": False,
        "quarantine": False,
    }
    return {"kind": "t1", "data": data}


def listing(children: list[Thing], *, after: str | None = None, before: str | None = None) -> Thing:
    """Return a ``Listing``. ``after``, ``before``: anchors to go on from."""
    data = {"after": after, "before": before, "children": children, "dist": len(children)}
    return {"kind": "Listing", "data": data | {"modhash": None, "geo_filter": ""}}


def _link_data(post: Post, communities: Mapping[str, Community], now_ms: int) -> Thing:
    totals = post.totals(now_ms)
    gone = _gone(post, now_ms)
    url = SITE + _permalink(post) if post.url is None else post.url
    text = post.text if gone is None else gone if post.url is None else ""
    place = communities.get((post.community or "").lower())
    data = (
        _LINK
        | _of_item(post, post, gone)
        | {
            "domain": f"self.{post.community}" if post.url is None else urlsplit(url).hostname or "",
            "hide_score": totals.likes is None,
            "is_robot_indexable": gone is None,
            "is_self": post.url is None,
            "num_comments": totals.replies,
            "permalink": _permalink(post),
            "removed_by_category": None if gone is None else "deleted" if gone == "[deleted]" else "moderator",
            "score": totals.likes,
            "selftext": text,
            "selftext_html": f"<!-- SC_OFF -->{_html(text)}<!-- SC_ON -->" if text else None,
            "subreddit_subscribers": place.members if place else None,
            "thumbnail": "self" if post.url is None else "default",
            "title": post.title,
            "ups": totals.likes,
            "upvote_ratio": totals.like_ratio,
            "url": url,
        }
    )
    if post.url is not None:
        data["url_overridden_by_dest"] = url
    if (parent := post.crosspost_of) is not None:
        data["crosspost_parent"] = parent.native
        data["crosspost_parent_list"] = [_link_data(parent, communities, now_ms)]
        data["url"] = data["url_overridden_by_dest"] = _permalink(parent)
        data["domain"] = ""
    return data


def _comment_data(reply: Reply, now_ms: int) -> Thing:
    post = reply.post
    gone = _gone(reply, now_ms)
    body = reply.text if gone is None else gone
    score = reply.votes.at(now_ms).likes
    return (
        _COMMENT
        | _of_item(reply, post, gone)
        | {
            "body": body,
            "body_html": _html(body),
            "is_submitter": gone is None and reply.author is not None and reply.author == post.author,
            "link_id": post.native,
            "parent_id": reply.parent.native,
            "permalink": f"{_permalink(post)}{_id(reply)}/",
            "score": 1 if score is None else score,
            "score_hidden": score is None,
            "ups": 1 if score is None else score,
        }
    )


def _gone(item: Item, now_ms: int) -> str | None:
    """Return what Reddit shows instead of a removed item; None while it is there."""
    return _GONE[item.removal] if item.removal and item.gone(now_ms) else None


def _of_item(item: Item, post: Post, gone: str | None) -> Thing:
    """Return what links and comments have in common. ``post``: the item itself, or the post that it is below."""
    author = item.author if gone is None else None
    data: Thing = {
        "author": author or "[deleted]",
        "created": item.created_ms / 1000,
        "created_utc": item.created_ms / 1000,
        "id": _id(item),
        "name": item.native,
        "subreddit": post.community,
        "subreddit_id": f"t5_{crc32((post.community or '').lower().encode()):x}",
        "subreddit_name_prefixed": f"r/{post.community}",
    }
    return data if author is None else data | {"author_fullname": f"t2_{crc32(author.encode()):x}"}


def _id(item: Item) -> str:
    return item.native.partition("_")[2]


def _permalink(post: Post) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", post.title.lower())[:50].strip("_") or "_"
    return f"/r/{post.community}/comments/{_id(post)}/{words}/"


def _html(text: str) -> str:
    return f'<div class="md"><p>{escape(text)}</p>\n</div>'
