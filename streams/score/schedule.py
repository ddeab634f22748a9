"""When each story is to be looked at next.

Owns one time for each name, and finds the earliest. Pure.
"""

from __future__ import annotations

import heapq

__all__ = ["Agenda"]


class Agenda:
    """One time, in UTC epoch ms, for each name that has any.

    >>> agenda = Agenda()
    >>> agenda.put("a", 30); agenda.put("b", 20); agenda.put("b", 40)
    >>> agenda.next_ms, agenda.take(35), agenda.next_ms
    (30, ['a'], 40)
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []  # also holds times that were put off since

    def __len__(self) -> int:
        return len(self._times)

    def put(self, name: str, at_ms: int) -> None:
        """Set the time of ``name``, whatever it was before."""
        if self._times.get(name) != at_ms:
            self._times[name] = at_ms
            heapq.heappush(self._heap, (at_ms, name))
            if len(self._heap) > 2 * len(self._times) + 100:
                self._heap = [(time_ms, one) for one, time_ms in self._times.items()]
                heapq.heapify(self._heap)

    def drop(self, name: str) -> None:
        """Forget ``name``."""
        self._times.pop(name, None)

    @property
    def next_ms(self) -> int | None:
        """The earliest time, None if there is none."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, until_ms: int) -> list[str]:
        """Return the names whose time is up at ``until_ms``, in the order of the alphabet, and forget them."""
        names = []
        while (at_ms := self.next_ms) is not None and at_ms <= until_ms:
            name = heapq.heappop(self._heap)[1]
            del self._times[name]
            names.append(name)
        return sorted(names)
