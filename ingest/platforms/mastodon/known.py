"""Known statuses: what was published, whichever instance showed it.

Owns the latest published statuses by signal id, and which of them each local id of an instance names. So a status that
three instances show is published once, a reply knows its thread, and a deletion knows what was deleted. Bounded by
number. Must never know how a status is fetched.
"""

from dataclasses import dataclass
from typing import Final, Literal, Self

from cachetools import LRUCache

from ingest.fields import taken_back
from ingest.platforms.mastodon.identity import PLATFORM
from ingest.signal import Counts, Signal

MAX_STATUSES: Final = 50_000
"""Most known statuses, in some 25 MB. The least recently used are dropped first."""
MAX_LOCAL_IDS: Final = 100_000
"""Most local ids, of all instances together, in some 25 MB."""


@dataclass(slots=True, eq=False)
class KnownStatus:
    """A published status. ``edited_at``: as the platform writes it, "" if never.

    ``source``, ``local_id``: the instance to ask for its counts, and the id there.
    """

    id: str
    thread: str
    kind: Literal["post", "reply", "repost"]
    created_ms: int
    counts: Counts
    source: str
    local_id: str = ""
    edited_at: str = ""
    deleted: bool = False

    @property
    def home(self) -> str:
        """The instance of the author."""
        return self.id.removeprefix(f"{PLATFORM}:").partition("/")[0]

    @classmethod
    def of(cls, signal: Signal, source: str, local_id: str, edited_at: str) -> Self:
        """Return what is kept of a signal."""
        return cls(signal.id, signal.thread, signal.kind, signal.created_ms, signal.counts, source, local_id, edited_at)

    def deletion(self, witnessed_ms: int) -> Signal:
        """Return the signal that says that the status was taken back: its last counts, and none of its words."""
        return taken_back(self.id, self.thread, self.created_ms, witnessed_ms, kind=self.kind, counts=self.counts)


class KnownStatuses:
    """The latest published statuses."""

    def __init__(self, max_statuses: int = MAX_STATUSES, max_local_ids: int = MAX_LOCAL_IDS) -> None:
        self._statuses: LRUCache[str, KnownStatus] = LRUCache(max_statuses)
        self._local_ids: LRUCache[tuple[str, str], str] = LRUCache(max_local_ids)

    def __len__(self) -> int:
        return len(self._statuses)

    def get(self, signal_id: str) -> KnownStatus | None:
        """Return the status with this signal id."""
        return self._statuses.get(signal_id)

    def at(self, instance: str, local_id: str) -> KnownStatus | None:
        """Return the status that ``instance`` calls ``local_id``."""
        signal_id = self._local_ids.get((instance, local_id))
        return None if signal_id is None else self._statuses.get(signal_id)

    def add(self, status: KnownStatus) -> None:
        """Remember a status, in place of what was known of it."""
        self._statuses[status.id] = status

    def name(self, instance: str, local_id: str, signal_id: str) -> None:
        """Remember that ``instance`` calls the status ``local_id``."""
        self._local_ids[instance, local_id] = signal_id
