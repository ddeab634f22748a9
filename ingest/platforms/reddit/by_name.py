"""Things to ask for by name: what vanished from a listing, posts that comments answer, and tracked posts.

Owns their order, and what it means when Reddit does not give a thing. Must never know how a thing is fetched.
"""

from collections.abc import Collection, Iterable

from ingest.memory.tracked import INTERVALS, MINUTE_MS, TrackedItems
from ingest.platforms.reddit.convert import PLATFORM
from ingest.platforms.reddit.published import Published
from ingest.platforms.reddit.source import PAGE_ITEMS
from ingest.platforms.reddit.vanished import is_implausible
from ingest.signal import Signal

MAX_WAITING = 1_000
"""Most vanished things, and most posts that comments answer, that wait to be asked for. The oldest are dropped."""


class ByName:
    """The names to ask for next, the most urgent first."""

    def __init__(self, tracked: TrackedItems, published: Published) -> None:
        self._tracked = tracked
        self._published = published
        self._vanished: dict[str, None] = {}
        self._answered: dict[str, None] = {}

    @property
    def requests_per_minute(self) -> float:
        """About how many requests these things need: the waiting ones within a minute, tracked ones when due."""
        waiting = len(self._vanished) + len(self._answered)
        return (waiting + len(self._tracked) * MINUTE_MS / INTERVALS[0][1]) / PAGE_ITEMS

    def add_vanished(self, names: Iterable[str]) -> None:
        """Ask for things that a listing shows no longer."""
        _add(self._vanished, names)

    def add_answered(self, names: Iterable[str]) -> None:
        """Ask for posts that comments answer and that are not known."""
        _add(self._answered, names)

    def due(self, now_ms: int, max_names: int) -> list[str]:
        """Return up to ``max_names`` names to ask for now. They stay until :meth:`settle`."""
        names = [*self._vanished][:PAGE_ITEMS]
        names += [*self._answered][: max(0, max_names - len(names))]
        due = self._tracked.due(now_ms, max(0, max_names - len(names)))
        names += [id_.removeprefix(f"{PLATFORM}:") for id_ in due]
        return list(dict.fromkeys(names))

    def settle(self, asked: Collection[str], given: Collection[str], now_ms: int) -> list[Signal]:
        """Record which of the things that were ``asked`` for were ``given``; return the signals of deletions.

        A thing that has vanished from a listing and is not given is gone. A tracked one is asked for once more first.
        """
        taken_back: list[Signal] = []
        absent = [name for name in asked if name not in given]
        suspects = [name for name in absent if name in self._published and name not in self._vanished]
        for name in absent:
            if name not in self._published:
                self._published.make_unavailable(name)
            elif name in self._vanished and (gone := self._published.taken_back(name, now_ms)) is not None:
                taken_back.append(gone)
        for name in asked:
            self._vanished.pop(name, None)
            self._answered.pop(name, None)
        if not is_implausible(len(suspects), len(asked)):
            self.add_vanished(name for name in suspects if not self._published.is_taken_back(name))
        return taken_back


def _add(waiting: dict[str, None], names: Iterable[str]) -> None:
    for name in names:
        waiting[name] = None
    for name in list(waiting)[: max(0, len(waiting) - MAX_WAITING)]:
        del waiting[name]
