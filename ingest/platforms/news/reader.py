"""Reading feeds: hands the bytes of a page to the worker process and returns the feed.

Owns that process: its start, the time that a feed may take, and its end. Must never know what a feed's fields mean.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import msgspec

from transport.errors import RetryLaterError

WORKER: Final = Path(__file__).with_name("worker.py")
MAX_ANSWER_BYTES: Final = 67_108_864
"""Longest line that the worker may answer: more than all texts that it keeps of a feed of 4 MB, escaped as JSON."""
READ_SECONDS: Final = 120.0
"""A worker without an answer by then is killed. It has a limit of CPU time of its own; this is for one that hangs."""


class Feed(msgspec.Struct):
    """A feed. ``entries``: for ``convert``. ``ttl``: how many minutes the feed is good for, as it wrote that."""

    title: str | None
    language: str | None
    ttl: str | None
    entries: list[dict[str, str | None]]


class FeedReader:
    """Reads one feed at a time. The worker starts with the first feed."""

    def __init__(self) -> None:
        self._worker: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self, body: bytes, content_type: str, url: str) -> Feed:
        """Return the feed in ``body``.

        Raises:
            RetryLaterError: it is no feed, or one that takes too long or too much memory to read.
        """
        async with self._one_at_a_time:
            done = False
            try:
                async with asyncio.timeout(READ_SECONDS):
                    line = await self._ask(body, content_type, url)
                done = line.endswith(b"\n")
            except TimeoutError as error:
                raise RetryLaterError(f"the feed could not be read within {READ_SECONDS:g} s") from error
            except (OSError, ValueError) as error:
                raise RetryLaterError(f"the feed could not be read: {error}") from error
            finally:
                if not done:  # also when cancelled: an answer that comes later would be taken for the next feed's
                    await self.close()
        answer = json.loads(line) if done else {"error": "reading the feed takes too much time or memory"}
        if "error" in answer:
            raise RetryLaterError(str(answer["error"]))
        return msgspec.convert(answer, Feed)

    async def close(self) -> None:
        """End the worker."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.returncode is None:
            worker.kill()
            await worker.wait()

    async def _ask(self, body: bytes, content_type: str, url: str) -> bytes:
        if self._worker is None:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",  # no module of the folder it runs in, nor of the environment
                str(WORKER),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MAX_ANSWER_BYTES,
                start_new_session=True,  # Ctrl-C is for the collector, which ends the worker
            )
        stdin, stdout = self._worker.stdin, self._worker.stdout
        assert stdin is not None  # noqa: S101 (for the type checker)
        assert stdout is not None  # noqa: S101
        request = {"length": len(body), "content_type": content_type, "url": url}
        stdin.write(json.dumps(request).encode() + b"\n" + body)
        await stdin.drain()
        return await stdout.readline()
