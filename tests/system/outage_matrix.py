"""``python -m tests.system.outage_matrix``: Kafka away for a while under ``hubbub up``, and what each outage costs.

Owns the matrix of outages: how long, killed or frozen, idle or under load. For each cell it counts the lines logged,
the restarts, and the signals that were published, scored and lost. Real time is what an outage is made of.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from deploy.kafka.cluster import Cluster, KafkaUnavailableError
from hubbub.clock import wall_clock
from ingest.batch import Batch, Signals
from ingest.publish import Publisher
from ingest.signal import Author, Signal
from streams.serve.read import read_scores
from tests.system.pipeline.hubbub_up import Up, up
from transport.kafka import KafkaError

FAULTS = {"kill": (Cluster.kill, Cluster.restart), "pause": (Cluster.pause, Cluster.resume)}
SESSION_SECONDS = 10
"""The roles' default."""
REPLIES = 9
"""Replies of each thread. A story of up to 192 items counts them exactly."""
THREADS_PER_SECOND = 5
LOAD_SECONDS = 4.0
"""Load before and after an outage."""
PUBLISH_SECONDS = 30.0
"""A batch that is not acknowledged by then is given to a new producer, as collectors do."""
SETTLE_SECONDS = 120.0
"""Signals that are not scored this long after the last one was published are lost."""
POLL_SECONDS = 1.0


@dataclass(slots=True)
class Publishing:
    """Threads published as a collector publishes them: a batch stays until the broker has acknowledged it."""

    publisher: Publisher
    rng: random.Random = field(default_factory=lambda: random.Random(17))
    signals: int = 0
    """Acknowledged signals; each is another item."""

    async def publish(self) -> None:
        """Publish one thread, about something that no other thread is about."""
        signals = self._thread()
        while True:
            try:
                self.signals += await self.publisher.publish(Batch(Signals(signals), b"{}"))
            except KafkaError:
                await asyncio.sleep(POLL_SECONDS)
            else:
                return

    async def publish_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.publish()
            await asyncio.sleep(1 / THREADS_PER_SECOND)

    def _thread(self) -> list[Signal]:
        words = ["".join(self.rng.choices("bcdfghjklmnprstvz", k=9)) for _ in range(6)]
        now_ms, root = wall_clock(), f"reddit:{words[0]}"
        post = Signal(
            id=root,
            kind="post",
            platform="reddit",
            thread=root,
            author=Author(words[1]),
            title=" ".join(words),
            created_ms=now_ms,
            observed_ms=now_ms,
        )
        replies = [
            msgspec.structs.replace(post, id=f"{root}r{n}", kind="reply", author=Author(f"reader{n}"), title=None)
            for n in range(REPLIES)
        ]
        return [post, *replies]


async def scored(it: Up) -> int:
    """Return how many items the stories have."""
    scores = await read_scores(it.options, "")
    return sum(int(platform.items) for score in scores.values() for platform in score.platforms.values())


async def until_scored(it: Up, items: int) -> int:
    """Wait until the stories have ``items`` items, or long enough; return how many they have."""
    began = time.monotonic()
    while (reached := await scored(it)) < items and time.monotonic() - began < SETTLE_SECONDS:
        await asyncio.sleep(POLL_SECONDS)
    return reached


@dataclass(frozen=True, slots=True)
class Cell:
    """What one outage cost. ``seconds``: from the broker's return until everything was scored."""

    lines: int
    restarts: int
    published: int
    scored: int
    seconds: float
    ended: bool

    @property
    def lost(self) -> int:
        return self.published - self.scored

    def __str__(self) -> str:
        took = "HUBBUB UP ENDED" if self.ended else f"{self.seconds:.0f} s"
        return f"{self.lines:>7}{self.restarts:>10}{self.published:>11}{self.scored:>8}{self.lost:>6}   {took}"


async def outage(it: Up, cluster: Cluster, publishing: Publishing, fault: str, seconds: float, *, loaded: bool) -> Cell:
    """Let Kafka be away for ``seconds``; return what it cost."""
    end, begin = FAULTS[fault]
    published_before, scored_before = publishing.signals, await scored(it)
    lines_before, restarts_before = len(it.lines), it.count("starting it again")
    stop = asyncio.Event()
    load = asyncio.create_task(publishing.publish_until(stop)) if loaded else None
    await asyncio.sleep(LOAD_SECONDS)
    await asyncio.to_thread(end, cluster)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(begin, cluster)
    back_at = time.monotonic()
    await asyncio.sleep(LOAD_SECONDS)
    stop.set()
    if load is not None:
        await load
    await publishing.publish()
    published = publishing.signals - published_before
    reached = await until_scored(it, scored_before + published) - scored_before
    return Cell(
        lines=len(it.lines) - lines_before,
        restarts=it.count("starting it again") - restarts_before,
        published=published,
        scored=reached,
        seconds=time.monotonic() - back_at,
        ended=it.process.returncode is not None,
    )


async def matrix(faults: Sequence[str], outages: Sequence[float], folder: Path, log: Path | None) -> bool:
    """Print the matrix; return whether no signal was lost and no ``hubbub up`` ended."""
    cells = []
    _print("fault   outage  load   lines  restarts  published  scored  lost   all scored")
    for fault in faults:
        with Cluster(folder / fault) as cluster:
            async with up(cluster.bootstrap_servers, session_seconds=SESSION_SECONDS) as it:
                publisher = Publisher(
                    collector="outages", kafka=it.options, topics="", now_ms=wall_clock, timeout_seconds=PUBLISH_SECONDS
                )
                publishing = Publishing(publisher)
                await publishing.publish()
                await until_scored(it, publishing.signals)
                for seconds in outages:
                    for loaded in (False, True):
                        before = len(it.lines)
                        cells.append(await outage(it, cluster, publishing, fault, seconds, loaded=loaded))
                        row = f"{fault:6}{seconds:>6g} s  {'load' if loaded else 'idle'}{cells[-1]}"
                        _print(row)
                        if log is not None:
                            with log.open("a") as file:
                                file.write("\n".join(["", row, *it.lines[before:]]) + "\n")
                await publisher.close()
    return not any(cell.lost or cell.ended for cell in cells)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the matrix; return 0 if nothing was lost, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.outage_matrix", description="Take Kafka away under `hubbub up`, and count."
    )
    parser.add_argument("--seconds", type=float, nargs="+", default=[5, 15, 60, 300], help="how long (default: all)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="default: all")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append what `hubbub up` printed in each cell")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # Kafka's client in this process logs a lot while the broker is away
    with tempfile.TemporaryDirectory(prefix="hubbub-outages-") as folder:
        try:
            good = asyncio.run(matrix(options.faults, options.seconds, Path(folder), options.log))
        except KafkaUnavailableError as error:
            sys.stderr.write(f"outages: {error}\n")
            return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
