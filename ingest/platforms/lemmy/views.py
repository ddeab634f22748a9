"""The key, the age and the post of a view, which the collector needs before it converts the view.

Owns those few fields. Any may be missing or of another type. Must never raise, whatever a view holds.
"""

import hashlib
from typing import Final

from ingest.batch import as_json
from ingest.fields import utc_ms

MAX_NUMBER: Final = 2**53
"""Largest number of an item that is believed; Lemmy counts items in 32 bits."""


def key(view: object) -> str:
    """Return what a view is remembered by: its number on the instance; a digest if it has none."""
    number = _item(view).get("id")
    if _is_number(number):
        return str(number)
    return hashlib.sha256(as_json(view)).hexdigest()[:16]


def post_number(view: object) -> int | None:
    """Return the number, on the instance, of the post that a view shows or belongs to; None if it has none."""
    number = _dict(view, "post").get("id")
    return number if _is_number(number) and isinstance(number, int) else None


def created_ms(view: object) -> float:
    """Return when the item was created; infinity if it does not say, so that it is read and then rejected."""
    item = _item(view)
    published = item.get("published_at") or item.get("published")
    try:
        return float("inf") if not isinstance(published, str) else utc_ms(published)
    except (ValueError, OverflowError):
        return float("inf")


def stands_out(view: object, witnessed_ms: int) -> bool:
    """Return whether an item stands at the top of listings whatever its age: it is pinned, or dated ahead."""
    post = _dict(view, "post")
    pinned = "comment" not in _as_dict(view) and bool(post.get("featured_local") or post.get("featured_community"))
    return pinned or created_ms(view) > witnessed_ms


def is_post_gone(view: object) -> bool:
    """Return whether the post was deleted or removed to which a comment belongs."""
    post = _dict(view, "post")
    return bool(post.get("deleted") or post.get("removed"))


def _is_number(number: object) -> bool:
    return type(number) is int and 0 < number < MAX_NUMBER


def _item(view: object) -> dict[str, object]:
    return _dict(view, "comment") or _dict(view, "post")


def _dict(value: object, name: str) -> dict[str, object]:
    return _as_dict(_as_dict(value).get(name))


def _as_dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
