"""The seen-set: which of the latest items were seen already.

Owns the last ids by number; older ones are dropped. (A cache of cachetools gives no order in which to save them.)
Must never know what an id stands for.
"""

from collections.abc import Iterable, Iterator


class Seen:
    """The last ``max_ids`` ids that were added, oldest first.

    >>> seen = Seen(2, ["a", "b"])
    >>> seen.add("a"), seen.add("c"), list(seen), "b" in seen
    (False, True, ['a', 'c'], False)
    """

    def __init__(self, max_ids: int, ids: Iterable[str] = ()) -> None:
        self._max_ids = max_ids
        self._ids: dict[str, None] = {}
        for id_ in ids:
            self.add(id_)

    def add(self, id_: str) -> bool:
        """Remember ``id_`` as the latest; return whether it was new."""
        new = id_ not in self._ids
        if not new:
            del self._ids[id_]
        elif len(self._ids) >= self._max_ids:
            del self._ids[next(iter(self._ids))]
        self._ids[id_] = None
        return new

    def __contains__(self, id_: object) -> bool:
        return id_ in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
