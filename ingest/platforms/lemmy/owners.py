"""Owners: which instance speaks for an item that several instances show.

Owns that choice. Must never know what an item says.

Votes federate late or never, so each instance counts its own. Counts of several instances in turn would go up and
down. The home instance of an item speaks for it if it is asked, else the instance that showed it first.
"""

from typing import Final, NamedTuple

from ingest.platforms.lemmy.convert import PLATFORM

SILENT_MS: Final = 3_600_000
"""An owner that has not shown the item for so long may be replaced: it is away, or the item left its listings."""


def is_home(id_: str, host: str) -> bool:
    """Return whether an item was written on the instance ``host``."""
    return id_.startswith(f"{PLATFORM}:{host}/")


class _Owner(NamedTuple):
    host: str
    shown_ms: int


class Owners:
    """The owners of the latest ``max_items`` items."""

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._owners: dict[str, _Owner] = {}

    def accept(self, id_: str, host: str, now_ms: int, *, deleted: bool = False) -> bool:
        """Return whether ``host`` speaks for the item now, and remember that.

        ``deleted``: it says that the item was taken back. Once the home instance has shown it, only that one may.
        """
        owner = self._owners.get(id_)
        if owner is not None and owner.host != host and not is_home(id_, host):
            if deleted and is_home(id_, owner.host):
                return False
            if now_ms < owner.shown_ms + SILENT_MS:
                return False
        self._owners.pop(id_, None)
        if len(self._owners) >= self._max_items:
            del self._owners[next(iter(self._owners))]
        self._owners[id_] = _Owner(host, now_ms)
        return True
