"""The sizes of communities, which API v3 states only when asked for one.

Owns the known sizes and the communities still to ask for, both bounded. Must never know how a size is fetched.
"""

from collections.abc import Callable, Mapping
from typing import Final

from cachetools import TTLCache

MAX_SIZES: Final = 5_000
"""Communities whose size is kept; the largest instance shows posts of some 2 000 in a week."""
MAX_WANTED: Final = 500
"""Communities to ask for, the first that were named; one that is dropped here is named again by its next post."""


class CommunitySizes:
    """Sizes by full name, each used for ``kept_seconds``. ``clock``: real seconds."""

    def __init__(self, kept_seconds: float, clock: Callable[[], float]) -> None:
        self._sizes: TTLCache[str, int | None] = TTLCache(MAX_SIZES, kept_seconds, timer=clock)
        self._wanted: dict[str, str] = {}

    @property
    def known(self) -> Mapping[str, int | None]:
        """The known sizes; None where the instance states none."""
        return self._sizes

    def want(self, name: str, host: str) -> None:
        """Record that the size of ``name`` is unknown, and that the instance ``host`` shows it."""
        if name not in self._sizes and len(self._wanted) < MAX_WANTED:
            self._wanted.setdefault(name, host)

    def next(self) -> tuple[str, str] | None:
        """Take the next community to ask for, and the instance to ask; None if there is none."""
        if not self._wanted:
            return None
        name = next(iter(self._wanted))
        return name, self._wanted.pop(name)

    def learn(self, name: str, members: int | None) -> None:
        """Record the size of a community."""
        self._sizes[name] = members
