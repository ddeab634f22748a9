"""The threads that passed: those whose replies and reposts a firehose publishes.

Owns the latest threads by number and their compact form for a cursor. Must never know a platform, nor why one passed.

A thread is kept as a key of 48 bits. Of 200 000 threads, one in a thousand million others has the key of one of them.
Such a thread's replies are published, and resolve ignores them.
"""

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import Final

KEY_BYTES: Final = 6


class PassedThreads:
    """The ``max_threads`` threads that were added or found last. ``saved``: what :meth:`saved` returned.

    >>> threads = PassedThreads(2)
    >>> threads.add("a"), threads.add("b"), "a" in threads, threads.add("c")
    (True, True, True, True)
    >>> "b" in threads, PassedThreads(2, threads.saved(1)).add("c")
    (False, False)
    """

    def __init__(self, max_threads: int, saved: str = "") -> None:
        self._max_threads = max_threads
        packed = b64decode(saved, validate=True)
        keys = [packed[at : at + KEY_BYTES] for at in range(0, len(packed), KEY_BYTES)]
        self._keys: dict[bytes, None] = dict.fromkeys(keys[-max_threads:])

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, thread: str) -> bool:
        """Record that a thread passed; return whether it was not known."""
        key = _key(thread)
        new = not self._touch(key)
        if new:
            self._keys[key] = None
            if len(self._keys) > self._max_threads:
                del self._keys[next(iter(self._keys))]
        return new

    def __contains__(self, thread: str) -> bool:
        return self._touch(_key(thread))

    def saved(self, max_threads: int) -> str:
        """Return the latest threads as text, 8 characters each."""
        return b64encode(b"".join(list(self._keys)[-max_threads:])).decode()

    def _touch(self, key: bytes) -> bool:
        """Return whether ``key`` is known; then it is the latest."""
        if key not in self._keys:
            return False
        del self._keys[key]
        self._keys[key] = None
        return True


def _key(thread: str) -> bytes:
    return blake2b(thread.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
