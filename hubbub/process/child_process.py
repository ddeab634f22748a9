"""Commands that die with the process that started them, whatever it dies of.

Owns the one way in which Hubbub starts processes of its own, so that none is ever left behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["tied"]

# Runs in place of the command until it becomes the command. The kernel then kills it when the process that started it
# dies, even by kill -9 (PR_SET_PDEATHSIG, prctl(2)); the second look at the parent covers a death before prctl was
# called. Another process image rather than a preexec function, since code run between fork and exec can deadlock in a
# threaded parent.
_BECOME: Final = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the process that wanted this one is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` (an absolute path and arguments) and, on Linux, dies with this process.

    The tie is to the *thread* that starts it: start it from one that lives as long as the command is needed.
    """
    return [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *command]
