"""``hubbub up`` as a process: what it prints, and signals published and scored while it runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hubbub.operate.replay import replay, wait_until_scored
from hubbub.process.embedded_broker import free_port
from hubbub.recordings import read_recordings
from streams.serve.read import read_scores
from tests.eventually import eventually

SESSION_SECONDS = 2


class Up:
    """``hubbub up``, running. ``lines``: what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process, servers: str) -> None:
        self.process = process
        self.options: dict[str, object] = {"bootstrap_servers": servers}
        self.lines: list[str] = []

    def count(self, words: str) -> int:
        return sum(words in line for line in self.lines)

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode().rstrip())

    async def wait_for(self, words: str, times: int = 1, *, within_seconds: float = 90) -> None:
        await eventually(lambda: self.count(words) >= times or self.process.returncode is not None, within_seconds)
        assert self.count(words) >= times, self.lines[-20:]

    async def score(self, recording: Path, speed: float | None = None) -> int:
        """Publish ``recording``, wait until it is scored, and return how many stories there are."""
        recordings = read_recordings([recording], lambda *_: None)
        done = await replay(recordings, kafka=self.options, prefix="", speed=speed)
        await wait_until_scored(done.token, kafka=self.options, prefix="")
        return len(await read_scores(self.options, ""))


@asynccontextmanager
async def up(servers: str, *, session_seconds: float = SESSION_SECONDS) -> AsyncIterator[Up]:
    """Run ``hubbub up`` without collectors until the block ends; it is ready when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubbub", "up", "--no-collect"),
        env={
            **os.environ,
            "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": servers,
            "HUBBUB_KAFKA__PARTITIONS": "2",
            "HUBBUB_SERVE__PORT": str(free_port()),
            "HUBBUB_RESOLVE__SESSION_SECONDS": str(session_seconds),
            "HUBBUB_SCORE__SESSION_SECONDS": str(session_seconds),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    it = Up(process, servers)
    reading = asyncio.create_task(it.read())
    try:
        await it.wait_for("ready; the page is at")
        yield it
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.wait(), 60)
        await reading
