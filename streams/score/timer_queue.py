"""A timer for each name, and which of them have expired.

Owns one time for each name, and finds the earliest. Pure.
"""

import heapq


class TimerQueue:
    """One time, in UTC epoch ms, for each name that has any.

    >>> timers = TimerQueue()
    >>> timers.put("a", 30); timers.put("b", 20); timers.put("b", 40)
    >>> timers.next_ms, timers.take(35), timers.next_ms
    (30, ['a'], 40)
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []  # also holds outdated times

    def __len__(self) -> int:
        return len(self._times)

    def put(self, name: str, at_ms: int) -> None:
        """Set the time of ``name``; an earlier one is replaced."""
        if self._times.get(name) != at_ms:
            self._times[name] = at_ms
            heapq.heappush(self._heap, (at_ms, name))
            if len(self._heap) > 2 * len(self._times) + 100:
                self._heap = [(time_ms, one) for one, time_ms in self._times.items()]
                heapq.heapify(self._heap)

    def drop(self, name: str) -> None:
        """Remove ``name``."""
        self._times.pop(name, None)

    @property
    def next_ms(self) -> int | None:
        """The earliest time; None if there is none."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, until_ms: int) -> list[str]:
        """Remove and return the names whose time has come by ``until_ms``, in alphabetical order."""
        names = []
        while (at_ms := self.next_ms) is not None and at_ms <= until_ms:
            name = heapq.heappop(self._heap)[1]
            del self._times[name]
            names.append(name)
        return sorted(names)
