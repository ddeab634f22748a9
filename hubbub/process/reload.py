"""Reads the settings again while a role runs: when SIGHUP asks for it, and when one of their files has changed.

Owns when to read, what to say, and that wrong settings change nothing. Must never know a role: the role itself goes
over to the new settings, as far as it can.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import structlog

from hubbub.process.metrics import SETTINGS_RELOADED
from hubbub.settings import Settings, files
from transport.errors import UserError

CHECK_SECONDS: Final = 2.0
"""How often to check the files. A file that was being written must be the same at two checks."""
FIXED: Final = ("kafka", "metrics_host", "metrics_allowed_hosts", "metrics_port", "world_clock")
"""Settings that a process takes at its start."""

log = structlog.get_logger(__name__)
Signature = tuple[int, int, int] | None


@runtime_checkable
class Reloadable(Protocol):
    """A role that can go over to other settings."""

    def reload(self, settings: Settings) -> Collection[str]:
        """Use ``settings`` from now on; return what that changes. Return at once; the work goes on by itself.

        Raises:
            UserError: they cannot be used. The old ones stay in use.
        """


class Reload:
    """The settings of one role's process, kept up to date.

    ``role``: what goes over to other settings. ``own``: the group of settings of a role that cannot. ``adopt``: called
    first with new settings, for what all roles have in common.
    """

    def __init__(
        self,
        settings: Settings,
        role: object,
        own: str,
        *,
        read: Callable[[], Settings],
        adopt: Callable[[Settings], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._started_with = settings
        self._role = role
        self._fixed = FIXED if isinstance(role, Reloadable) else (*FIXED, own)
        self._read = read
        self._adopt = adopt
        self._sleep = sleep
        self._files = files(settings)
        self._signatures = _signatures(self._files)
        self._late: list[str] = []
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Ask to read the settings now."""
        self._asked.set()

    async def watch(self) -> None:
        """Read the settings again whenever they change, until cancelled."""
        self._reload(quiet=True)  # the files may have changed since the process read them
        before = self._signatures
        while True:
            asked = await self._asked_within(CHECK_SECONDS)
            now = _signatures(self._files)
            if asked or (now == before and now != self._signatures):
                self._reload()
                now = self._signatures
            before = now

    def _reload(self, *, quiet: bool = False) -> None:
        """Read the settings. ``quiet``: say nothing if nothing is new."""
        self._signatures = _signatures(self._files)
        try:
            settings = self._read()
            self._files = files(settings)
            self._signatures = _signatures(self._files)
            self._adopt(settings)
            changed = self._role.reload(settings) if isinstance(self._role, Reloadable) else ()
        except UserError as error:
            SETTINGS_RELOADED.set(0)
            log.error("settings not reloaded; the old ones stay in use", problem=str(error))  # noqa: TRY400 (no stack)
            return
        SETTINGS_RELOADED.set(1)
        if changed or not quiet:
            log.info("settings reloaded", changed=", ".join(changed) or "nothing")
        late = [name for name in self._fixed if getattr(settings, name) != getattr(self._started_with, name)]
        if late and late != self._late:
            log.warning(
                "settings changed that are read at the start alone; restart this role", settings=", ".join(late)
            )
        self._late = late

    async def _asked_within(self, seconds: float) -> bool:
        """Wait for ``seconds``, or until someone asks; return whether someone did."""
        waits = [asyncio.ensure_future(wait) for wait in (self._asked.wait(), self._sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        asked = self._asked.is_set()
        self._asked.clear()
        return asked


def _signatures(paths: Sequence[Path]) -> dict[Path, Signature]:
    return {path: _signature(path) for path in paths}


def _signature(path: Path) -> Signature:
    """Return what changes when the file does; None if there is no such file."""
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino
    return None
