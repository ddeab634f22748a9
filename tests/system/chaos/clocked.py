"""A role whose clock can be set from outside while it runs. Run: python -m tests.system.chaos.clocked DIAL ROLE…

Owns the dial: a file in memory shared by two processes, with what is to be added to the role's clock and what the role
has last added. Everything else of the role is as ever.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["Dial"]

_WANTED, _USED = struct.Struct("<q"), struct.Struct("<8xq")


class Dial:
    """What is added to a clock, in ms."""

    def __init__(self, path: Path) -> None:
        """``path``: of the file; it is made if it is not there."""
        if not path.exists():
            path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 16)

    def set(self, wanted_ms: int) -> None:
        """From now on, add ``wanted_ms``."""
        _WANTED.pack_into(self._memory, 0, wanted_ms)

    @property
    def used_ms(self) -> int:
        """What the role has last added."""
        return int(_USED.unpack_from(self._memory)[0])

    def turn(self, clock: Callable[[], int]) -> Callable[[], int]:
        """Return ``clock`` with what the dial says added."""

        def turned() -> int:
            wanted_ms = int(_WANTED.unpack_from(self._memory)[0])
            struct.pack_into("<q", self._memory, 8, wanted_ms)
            return clock() + wanted_ms

        return turned


def main() -> int:
    """Run the role."""
    from hubbub.cli import main as hubbub  # noqa: PLC0415 (a dial alone needs nothing of it)
    from hubbub.settings import Settings  # noqa: PLC0415

    dial, clock = Dial(Path(sys.argv[1])), Settings.clock
    setattr(Settings, "clock", lambda settings: dial.turn(clock(settings)))  # noqa: B010 (for mypy a method is no value)
    return hubbub(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
