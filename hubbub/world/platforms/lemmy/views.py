"""Lemmy's views: how posts, comments and communities look in its API, v3 and v4.

Owns the JSON. Pure: items and a time in, plain objects out. Must never know HTTP. Keys and types are those of
https://github.com/LemmyNet/lemmy-js-client, 0.19.9 for v3 and 1.0 for v4.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zlib import crc32

from hubbub.world.items import Community, Item, Post, Removal, Reply

View = dict[str, object]

HOST = "lemmy.example.org"
"""The name of the simulated instance; items of others federate to it."""
SINCE = "2023-06-01T00:00:00.000000Z"
"""When every person and community of the instance was created."""
ENGLISH = 37
"""The number of English among the languages of an instance."""


def write_time(at_ms: int) -> str:
    """Return a time as Lemmy writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def ap_id(item: Item) -> str:
    """Return an item's address on the instance where it was written."""
    return f"https://{item.native}"


_REPORTS: View = {"report_count": 0, "unresolved_report_count": 0, "federation_pending": False}
_VIEW_OLD: View = {
    "banned_from_community": False, "creator_banned_from_community": False, "creator_blocked": False,
    "creator_is_admin": False, "creator_is_moderator": False, "saved": False, "subscribed": "NotSubscribed",
}  # fmt: skip
_POST_VIEW_OLD: View = _VIEW_OLD | {"hidden": False, "read": False, "unread_comments": 0}
_VIEW: View = {
    "can_mod": False, "creator_banned": False, "creator_banned_from_community": False, "creator_is_admin": False,
    "creator_is_moderator": False, "tags": [],
}  # fmt: skip
_ACTOR_OLD: View = {"published": SINCE, "deleted": False, "instance_id": 1}
_ACTOR: View = {"published_at": SINCE, "last_refreshed_at": SINCE, "deleted": False, "instance_id": 1}
_PERSON_OLD: View = {"banned": False, "bot_account": False}
_PERSON: View = {"bot_account": False, "post_count": 1, "comment_count": 1}
_PLACE: View = {"nsfw": False, "posting_restricted_to_mods": False, "removed": False}
_SIZES: View = {
    "comments": 0, "posts": 0, "subscribers_local": 0, "users_active_day": 0, "users_active_half_year": 0,
    "users_active_month": 0, "users_active_week": 0,
}  # fmt: skip


class Views:
    """The views of API ``version`` (3 or 4).

    ``number(item)``: the item's number on the instance. ``communities``: by name in lower case.
    """

    def __init__(self, version: int, number: Callable[[Item], int], communities: Mapping[str, Community]) -> None:
        self._old = version == 3
        self._number = number
        self._communities = communities

    def post(self, post: Post, now_ms: int) -> View:
        """Return a PostView."""
        fields, counts = self._post(post, now_ms)
        times = {"post_id": fields["id"], "published": write_time(post.created_ms)}
        times["newest_comment_time"] = times["published"]
        around = _POST_VIEW_OLD | {"counts": counts | times} if self._old else _VIEW
        return {"post": fields} | self._whose(post, post) | around

    def comment(self, reply: Reply, now_ms: int) -> View:
        """Return a CommentView. It holds the post as well; in v3 without the post's counts."""
        fields, counts = self._comment(reply, now_ms)
        times = {"comment_id": fields["id"], "published": write_time(reply.created_ms)}
        around = _VIEW_OLD | {"counts": counts | times} if self._old else _VIEW
        return {"comment": fields, "post": self._post(reply.post, now_ms)[0]} | self._whose(reply, reply.post) | around

    def community(self, name: str) -> View:
        """Return a CommunityView."""
        fields = self._place(name)
        if not self._old:
            return {"community": fields, "can_mod": False, "tags": []}
        counts = _SIZES | {"community_id": fields["id"], "published": SINCE, "subscribers": self._members(name)}
        return {"community": fields, "counts": counts, "subscribed": "NotSubscribed", "blocked": False}

    def _whose(self, item: Item, post: Post) -> View:
        creator = self._actor("u", item.author or "deleted") | (_PERSON_OLD if self._old else _PERSON)
        return {"creator": creator, "community": self._place(post.community or "main")}

    def _post(self, post: Post, now_ms: int) -> tuple[View, View]:
        totals = post.totals(now_ms)
        counts = _votes(totals.likes, totals.like_ratio) | {"comments": totals.replies or 0}
        fields = self._item(post, now_ms, counts) | {
            "name": post.title,
            "community_id": _number_of(post.community or "main"),
            "nsfw": False,
            "locked": False,
            "featured_community": False,
            "featured_local": False,
        }
        if post.url is not None:
            fields["url"] = post.url
        if post.text:
            fields["body"] = post.text
        return fields, counts

    def _comment(self, reply: Reply, now_ms: int) -> tuple[View, View]:
        counts = _votes(reply.votes.at(now_ms).likes, None) | {"child_count": len(reply.replies)}
        path = [self._number(reply)]
        above = reply.parent
        while isinstance(above, Reply):
            path.append(self._number(above))
            above = above.parent
        fields = self._item(reply, now_ms, counts) | {
            "post_id": self._number(reply.post),
            "content": "" if reply.gone(now_ms) else reply.text,
            "path": ".".join(map(str, [0, *reversed(path)])),
            "distinguished": False,
        }
        return fields | ({} if self._old else {"locked": False}), counts

    def _item(self, item: Item, now_ms: int, counts: View) -> View:
        gone = item.removal if item.gone(now_ms) else None
        return {
            "id": self._number(item),
            "creator_id": _number_of(item.author or ""),
            "ap_id": ap_id(item),
            "published" if self._old else "published_at": write_time(item.created_ms),
            "deleted": gone is Removal.DELETED,
            "removed": gone is Removal.REMOVED,
            "local": ap_id(item).startswith(f"https://{HOST}/"),
            "language_id": ENGLISH,
        } | ({} if self._old else counts | _REPORTS)

    def _place(self, name: str) -> View:
        place = self._actor("c", name) | _PLACE | {"visibility": "Public" if self._old else "public"}
        if self._old:
            return place | {"title": place["name"], "hidden": False}
        reports = {"report_count": 0, "unresolved_report_count": 0, "local_removed": False}
        return place | _SIZES | reports | {"subscribers": self._members(name)}

    def _members(self, name: str) -> int:
        place = self._communities.get(name.lower())
        return 0 if place is None else place.members or 0

    def _actor(self, kind: str, full_name: str) -> View:
        name, _, host = full_name.partition("@")
        address = f"https://{host or HOST}/{kind}/{name}"
        fields: View = {"id": _number_of(full_name), "name": name, "local": not host or host == HOST}
        return fields | (_ACTOR_OLD | {"actor_id": address} if self._old else _ACTOR | {"ap_id": address})


def _votes(likes: int | None, ratio: float | None) -> View:
    """Return up-votes and down-votes, so that their ratio is ``ratio``; no down-votes if it is unknown."""
    up = likes or 0
    down = round(up * (1 - ratio) / ratio) if ratio else 0
    return {"score": up - down, "upvotes": up, "downvotes": down}


def _number_of(name: str) -> int:
    return crc32(name.encode())
