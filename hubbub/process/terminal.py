"""SIGHUP, which has two meanings: the settings have changed, or the terminal is gone.

Owns which one it is. A program that a terminal runs ends with it, as it always did.
"""

import os
from typing import Final

STANDARD_STREAMS: Final = 0, 1, 2


class Terminal:
    """The terminal that this process was started from, if any."""

    def __init__(self) -> None:
        self._was_there = _is_there()

    def is_gone(self) -> bool:
        """Return whether there was a terminal, and it has been closed since."""
        return self._was_there and not _is_there()


def _is_there() -> bool:
    return any(os.isatty(stream) for stream in STANDARD_STREAMS)
