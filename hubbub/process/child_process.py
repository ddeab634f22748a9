"""Child processes that die with the process that started them.

Owns the one way in which Hubbub starts and ends processes, so that none is left behind, even by kill -9.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Final

# Runs first, and then becomes the command. From then on the kernel kills the process when its parent dies
# (PR_SET_PDEATHSIG, prctl(2)). The comparison covers a parent that died before that. This is a program of its own
# because code between fork and exec can deadlock in a threaded parent. SIGHUP is ignored until the command handles it:
# it asks to read the settings again, and a command that is about to start reads them anyway.
_BECOME: Final = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent process is gone")
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[2], sys.argv[2:])
"""
MAX_LINE_BYTES: Final = 2**20


async def start_child(
    command: Sequence[str],
    *,
    stdout: int | IO[bytes] = asyncio.subprocess.DEVNULL,
    stderr: int | IO[bytes],
    env: Mapping[str, str] | None = None,
) -> asyncio.subprocess.Process:
    """Start ``command``, an absolute path and its arguments; on Linux it dies with this process.

    It dies with the *thread* that starts it: start it from one that runs as long as the command is needed. It has a
    session of its own, so that Ctrl-C in a terminal reaches only this process, which stops its children in order.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=env,
        start_new_session=True,
        limit=MAX_LINE_BYTES,
    )


async def stop_child(process: asyncio.subprocess.Process, timeout_seconds: float) -> None:
    """Ask ``process`` to end, and kill it after ``timeout_seconds``; return when it has ended."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout_seconds)
    except TimeoutError:
        await kill_child(process)


async def kill_child(process: asyncio.subprocess.Process) -> None:
    """End ``process`` at once, if it still runs; return when it has ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
