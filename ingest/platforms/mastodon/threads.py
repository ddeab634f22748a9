"""Threads to read: those of replies whose root is unknown, and those below posts that got replies.

Owns the queue of requests for threads; it bounds their number and the tries for each. Must never know how a thread is
fetched.
"""

from dataclasses import dataclass
from typing import Final

MAX_WAITING: Final = 200
"""Most replies that wait for their root. A reply beyond that counts as one without a root."""
MAX_POSTS: Final = 500
"""Most posts whose replies are to be read; the longest waiting is dropped first, and comes back when it grows."""
MAX_TRIES: Final = 3
"""How often to ask for a thread before going on without it."""


@dataclass(slots=True)
class WaitingReply:
    """A reply, as parsed JSON, that waits for its root. ``witnessed_ms``: when it arrived."""

    raw: object
    witnessed_ms: int
    tries: int = 0


class ThreadQueue:
    """Local ids of one instance whose threads are to be read."""

    def __init__(self) -> None:
        self._replies: dict[str, WaitingReply] = {}
        self._posts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._replies) + len(self._posts)

    def waiting(self) -> dict[str, WaitingReply]:
        """Return the replies that wait, by local id, longest waiting first."""
        return dict(self._replies)

    def wait(self, local_id: str, raw: object, witnessed_ms: int) -> bool:
        """Make a reply wait for its root; return False if too many wait already."""
        if local_id in self._replies:
            return True
        if len(self._replies) >= MAX_WAITING:
            return False
        self._replies[local_id] = WaitingReply(raw, witnessed_ms)
        return True

    def expand(self, local_id: str) -> None:
        """Have the replies to a post read."""
        self._posts.pop(local_id, None)
        if len(self._posts) >= MAX_POSTS:
            del self._posts[next(iter(self._posts))]
        self._posts[local_id] = 0

    def next(self) -> str | None:
        """Return whose thread to read now, replies first; None if there is none."""
        return next(iter(self._replies or self._posts), None)

    def failed(self, local_id: str) -> WaitingReply | None:
        """Record a failure; after the last try drop it, and return the reply that is given up."""
        reply = self._replies.get(local_id)
        tries = (self._posts.get(local_id, 0) if reply is None else reply.tries) + 1
        if tries >= MAX_TRIES:
            return self.done(local_id)
        if reply is not None:
            reply.tries = tries
        elif local_id in self._posts:
            self._posts[local_id] = tries
        return None

    def done(self, local_id: str) -> WaitingReply | None:
        """Take it from the queue; return the reply that waited."""
        self._posts.pop(local_id, None)
        return self._replies.pop(local_id, None)
