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
ENGLISH = 37
"""The number of English among the languages of an instance."""


def write_time(at_ms: int) -> str:
    """Return a time as Lemmy writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def ap_id(item: Item) -> str:
    """Return an item's address on the instance where it was written."""
    return f"https://{item.native}"


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
        return self._view({"post": fields}, post, post, counts)

    def comment(self, reply: Reply, now_ms: int) -> View:
        """Return a CommentView. It holds the post as well; in v3 without the post's counts."""
        fields, counts = self._comment(reply, now_ms)
        return self._view({"comment": fields, "post": self._post(reply.post, now_ms)[0]}, reply, reply.post, counts)

    def community(self, name: str) -> View:
        """Return a CommunityView."""
        place = self._communities.get(name.lower())
        size: View = {"subscribers": place.members if place and place.members is not None else 0}
        fields = self._place(name)
        return {"community": fields, "counts": size} if self._old else {"community": fields | size}

    def _view(self, view: View, item: Item, post: Post, counts: View) -> View:
        view |= {
            "creator": self._actor("u", item.author or "deleted"),
            "community": self._place(post.community or "main"),
            "creator_banned_from_community": False,
            "creator_is_moderator": False,
            "creator_is_admin": False,
        }
        if self._old:
            return view | {"counts": counts, "subscribed": "NotSubscribed", "saved": False, "creator_blocked": False}
        return view | {"tags": [], "can_mod": False, "creator_banned": False}

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
        return fields, counts

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
        } | ({} if self._old else counts)

    def _place(self, name: str) -> View:
        actor = self._actor("c", name)
        place = self._communities.get(name.lower())
        members = place.members if place else None
        return actor | {"removed": False} | ({} if self._old or members is None else {"subscribers": members})

    def _actor(self, kind: str, full_name: str) -> View:
        name, _, host = full_name.partition("@")
        address = f"https://{host or HOST}/{kind}/{name}"
        return {
            "id": _number_of(full_name),
            "name": name,
            "actor_id" if self._old else "ap_id": address,
            "local": not host or host == HOST,
            "deleted": False,
        }


def _votes(likes: int | None, ratio: float | None) -> View:
    """Return up-votes and down-votes, so that their ratio is ``ratio``; no down-votes if it is unknown."""
    up = likes or 0
    down = round(up * (1 - ratio) / ratio) if ratio else 0
    return {"score": up - down, "upvotes": up, "downvotes": down}


def _number_of(name: str) -> int:
    return crc32(name.encode())
