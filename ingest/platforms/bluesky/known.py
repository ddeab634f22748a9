"""What the collector knows besides a record: of an author, and of an item that was published.

Owns the form of both, as conversion takes them. Must never know where they are kept.
"""

from typing import Final, Literal, NamedTuple

Kind = Literal["post", "reply", "repost"]


class Profile(NamedTuple):
    """An author. ``handle``: the present name; ``followers``: how many follow. None is unknown."""

    handle: str | None = None
    followers: int | None = None


UNKNOWN: Final = Profile()


class Known(NamedTuple):
    """An item that was published. ``created_ms``: None if it is not known any more."""

    id: str
    kind: Kind
    thread: str
    created_ms: int | None
