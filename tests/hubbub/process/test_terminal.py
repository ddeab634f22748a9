"""SIGHUP: a request, or the end of the terminal that started the process."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from tests.eventually import eventually_blocking

WAITS = """
import fcntl, pathlib, signal, sys, termios, time
from hubbub.process.terminal import Terminal
if sys.argv[2] == "terminal":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
terminal, out = Terminal(), pathlib.Path(sys.argv[1])
def hang_up(*_):
    with out.open("a") as file:
        file.write("gone " if terminal.is_gone() else "asked ")
signal.signal(signal.SIGHUP, hang_up)
out.write_text("ready ")
while True:
    time.sleep(60)
"""


def start(out: Path, kind: str, stream: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WAITS, str(out), kind],
        stdin=stream,
        stdout=stream,
        stderr=stream,
        start_new_session=True,
    )


def test_a_signal_from_another_program_is_a_request_and_the_end_of_the_terminal_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ours, theirs = pty.openpty()
    process = start(out, "terminal", theirs)
    os.close(theirs)
    try:
        eventually_blocking(lambda: out.exists() and out.read_text() == "ready ", 60)
        process.send_signal(signal.SIGHUP)
        eventually_blocking(lambda: out.read_text() == "ready asked ")
        os.close(ours)  # the kernel sends SIGHUP
        eventually_blocking(lambda: out.read_text() == "ready asked gone ")
    finally:
        process.kill()
        process.wait()


def test_without_a_terminal_it_is_always_a_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(out, "none", subprocess.DEVNULL)
    try:
        eventually_blocking(lambda: out.exists() and out.read_text() == "ready ", 60)
        process.send_signal(signal.SIGHUP)
        eventually_blocking(lambda: out.read_text() == "ready asked ")
    finally:
        process.kill()
        process.wait()
