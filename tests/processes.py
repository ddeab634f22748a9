"""Whether a process that another process started still runs."""

from __future__ import annotations

from pathlib import Path

from tests.eventually import eventually

__all__ = ["has_ended", "until_ended"]


def has_ended(pid: int) -> bool:
    """Say whether process ``pid`` has ended; a zombie that its parent has yet to reap has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until_ended(pid: int) -> None:
    """Wait until process ``pid`` has ended."""
    await eventually(lambda: has_ended(pid))
