"""Whether a process that somebody else started is still there."""

from __future__ import annotations

import asyncio
from pathlib import Path


def has_ended(pid: int) -> bool:
    """Tell if process ``pid`` has ended; a zombie that its parent has yet to reap has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def gone(pid: int) -> bool:
    """Tell if process ``pid`` ends within 5 s."""
    for _ in range(100):
        if has_ended(pid):
            return True
        await asyncio.sleep(0.05)
    return False
