"""Published items: which posts and comments became signals, and what the last signal of each said.

Owns that memory, bounded by number and by age, and the signal that takes back an item that Reddit no longer gives. Must
never know how an item is fetched.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from cachetools import TTLCache

from ingest.fields import taken_back
from ingest.platforms.reddit.convert import PLATFORM, signal_id
from ingest.signal import Community, Counts, Signal

MAX_POSTS: Final = 50_000
"""Known posts, each kept as long as posts are tracked. A comment on another post costs a request for that post."""
MAX_COMMENTS: Final = 50_000
"""Known comments: those of some minutes of a place that is too busy."""


class _Last(NamedTuple):
    """What the last signal of an item said."""

    created_ms: int
    thread: str
    community: Community | None
    counts: Counts
    deleted: bool


class Published:
    """Posts and comments by fullname, each kept for ``kept_ms`` after its last signal."""

    def __init__(self, kept_ms: int, now_ms: Callable[[], int]) -> None:
        self._posts: TTLCache[str, _Last | None] = TTLCache(MAX_POSTS, kept_ms, timer=now_ms)
        self._comments: TTLCache[str, _Last | None] = TTLCache(MAX_COMMENTS, kept_ms, timer=now_ms)
        self._unpublished: TTLCache[str, None] = TTLCache(MAX_POSTS, kept_ms, timer=now_ms)

    def restore(self, fullnames: Iterable[str]) -> None:
        """Remember items that a cursor has only the names of."""
        for name in fullnames:
            self._of_kind(name).setdefault(name, None)

    def record(self, signals: Iterable[Signal]) -> None:
        """Remember what signals say."""
        for signal in signals:
            name = signal.id.removeprefix(f"{PLATFORM}:")
            self._of_kind(name)[name] = _Last(
                signal.created_ms, signal.thread, signal.community, signal.counts, signal.deleted
            )
            self._unpublished.pop(name, None)

    def make_unavailable(self, name: str) -> None:
        """Remember that Reddit does not give an item: asking again would not help."""
        self._unpublished[name] = None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._of_kind(name)

    def is_known_post(self, name: str) -> bool:
        """Return whether there is no need to ask for a post that a comment answers."""
        return name in self._posts or name in self._unpublished

    def is_taken_back(self, name: str) -> bool:
        """Return whether the last signal of an item took it back."""
        last = self._of_kind(name).get(name)
        return last is not None and last.deleted

    def taken_back(self, name: str, now_ms: int) -> Signal | None:
        """Return the signal that takes back an item; None if that was said, or too little is known of it.

        After a restart no more than its name is known, until it is observed again.
        """
        last = self._of_kind(name).get(name)
        if last is None or last.deleted:
            return None
        return taken_back(
            signal_id(name), last.thread, last.created_ms, now_ms, community=last.community, counts=last.counts
        )

    def _of_kind(self, name: str) -> TTLCache[str, _Last | None]:
        return self._comments if name.startswith("t1_") else self._posts
