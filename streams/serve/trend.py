"""The trend of one story: its noise over time, in few points.

Owns the points and their thinning. Must never know where a point came from (a score, an event) nor how it is
drawn.
"""

from array import array
from bisect import bisect_left


class Trend:
    """Noise over time, in at most ``capacity`` points, whatever the story's age.

    When it is full, the older three quarters are halved. Of two neighbours the louder stays, so that the peak survives.
    The first point stays too. So the recent past is fine and the far past coarse, as on a logarithmic axis. Points may
    come in any order. A time that comes again replaces its point. A point takes 16 bytes.
    """

    __slots__ = ("_capacity", "_noise", "_times")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._times = array("q")
        self._noise = array("d")

    def add(self, at_ms: int, noise: float) -> None:
        """Add a point: ``noise`` (0 to 100) at ``at_ms`` (UTC epoch ms)."""
        place = bisect_left(self._times, at_ms)
        if place < len(self._times) and self._times[place] == at_ms:
            self._noise[place] = noise
            return
        self._times.insert(place, at_ms)
        self._noise.insert(place, noise)
        if len(self._times) > self._capacity:
            self._thin()

    def points(self) -> list[tuple[int, float]]:
        """Return (time in UTC epoch ms, noise) of every point, oldest first; noise to 2 decimals."""
        return [(at_ms, round(noise, 2)) for at_ms, noise in zip(self._times, self._noise, strict=True)]

    def _thin(self) -> None:
        old = self._capacity * 3 // 4 | 1  # the first point, and pairs
        pairs = ((i, i + 1) for i in range(1, old - 1, 2))
        kept = [0, *(max(pair, key=self._noise.__getitem__) for pair in pairs), *range(old, len(self._times))]
        self._times = array("q", [self._times[i] for i in kept])
        self._noise = array("d", [self._noise[i] for i in kept])
