"""Holds: which instances to leave alone for a while, so that one that fails delays no other.

Owns the time until which each instance is left alone. Must never know why it failed, nor wait.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from transport.errors import RetryLaterError, SlowDownError

FIRST_SECONDS: Final = 30.0
"""Pause of an instance after its first failure; each further one in a row doubles it."""
MAX_SECONDS: Final = 900.0
"""Longest pause of an instance that does not name one."""


@dataclass(slots=True)
class _Hold:
    failures: int = 0
    until: float = 0.0


class Holds:
    """One hold for each of ``instances`` instances. ``clock``: real seconds.

    With one instance nothing is held: the loop waits for the whole collector anyway.
    """

    def __init__(self, instances: int, clock: Callable[[], float]) -> None:
        self._alone = instances == 1
        self._clock = clock
        self._holds: dict[str, _Hold] = {}

    def holds(self, host: str) -> bool:
        """Return whether to leave the instance alone now."""
        hold = self._holds.get(host)
        return hold is not None and self._clock() < hold.until

    @contextmanager
    def watching(self, host: str) -> Iterator[None]:
        """Hold the instance after an error, and name it in the message; release it after a success.

        A rate limit of one instance of several is no reason to leave the others alone: the error says 0 seconds.
        """
        try:
            yield
        except SlowDownError as error:
            if self._alone:
                raise
            self._hold(host, error.after_seconds)
            raise SlowDownError(f"{host}{error}", 0.0) from error
        except RetryLaterError as error:
            if self._alone:
                raise
            self._hold(host, None)
            raise RetryLaterError(f"{host}{error}") from error
        self._holds.pop(host, None)

    def _hold(self, host: str, seconds: float | None) -> None:
        hold = self._holds.setdefault(host, _Hold())
        doubled = min(MAX_SECONDS, FIRST_SECONDS * 2 ** min(hold.failures, 10))
        hold.failures += 1
        hold.until = self._clock() + (doubled if seconds is None else seconds)
