"""The poll schedule of a collector: which of its polls is due next.

Owns the time between two polls, in real seconds; it holds one entry for each kind of poll. Must never know what a poll
does.
"""

from collections.abc import Awaitable, Callable, Mapping


class PollSchedule:
    """Polls by name, each repeated ``every_seconds`` after it last began; all are due at the start."""

    def __init__(
        self, every_seconds: Mapping[str, float], clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._every_seconds = dict(every_seconds)
        self._due_at = dict.fromkeys(every_seconds, 0.0)
        self._clock = clock
        self._sleep = sleep

    async def next(self) -> str:
        """Wait until a poll is due and return its name.

        It is put off at once, not when it succeeds: a poll that always fails must not keep the others waiting.
        """
        name = min(self._due_at, key=self._due_at.__getitem__)
        await self._sleep(max(0.0, self._due_at[name] - self._clock()))
        self.put_off(name)
        return name

    def put_off(self, name: str) -> None:
        """Make a poll due only after its interval."""
        self._due_at[name] = self._clock() + self._every_seconds[name]

    def change(self, name: str, every_seconds: float) -> None:
        """Repeat a poll ``every_seconds`` from now on, counted from when it last began."""
        self._due_at[name] += every_seconds - self._every_seconds[name]
        self._every_seconds[name] = every_seconds

    def hurry(self, name: str) -> None:
        """Make a poll due at once: there is more where the last one ended."""
        self._due_at[name] = self._clock()
