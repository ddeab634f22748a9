"""A role whose clock another process can set. Run: python -m tests.system.chaos.clock_offset FILE ROLE…

Owns the offset: a memory-mapped file that two processes share. It holds the offset that the role must add to its clock,
and the one that the role last added. The rest of the role is unchanged.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["ClockOffset"]

_WANTED, _APPLIED = struct.Struct("<q"), struct.Struct("<8xq")


class ClockOffset:
    """The offset of a clock, in ms."""

    def __init__(self, path: Path) -> None:
        """``path``: the file; it is created if it does not exist."""
        if not path.exists():
            path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 16)

    def set(self, wanted_ms: int) -> None:
        """Add ``wanted_ms`` from now on."""
        _WANTED.pack_into(self._memory, 0, wanted_ms)

    @property
    def applied_ms(self) -> int:
        """The offset that the role last added."""
        return int(_APPLIED.unpack_from(self._memory)[0])

    def apply(self, clock: Callable[[], int]) -> Callable[[], int]:
        """Return ``clock`` with the offset added."""

        def with_offset() -> int:
            wanted_ms = int(_WANTED.unpack_from(self._memory)[0])
            struct.pack_into("<q", self._memory, 8, wanted_ms)
            return clock() + wanted_ms

        return with_offset


def main() -> int:
    """Run the role."""
    from hubbub.cli import main as hubbub  # noqa: PLC0415 (an offset alone does not need it)
    from hubbub.settings import Settings  # noqa: PLC0415

    offset, clock = ClockOffset(Path(sys.argv[1])), Settings.clock
    setattr(Settings, "clock", lambda settings: offset.apply(clock(settings)))  # noqa: B010 (for mypy a method is no value)
    return hubbub(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
