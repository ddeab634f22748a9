"""How cost grows with live stories, with the signals of one story, and with partitions.

    python -m benchmarks.bench_scale [--stories 100 1000 …] [--signals 1000 …] [--partitions 1 2 …] [--plot FILE]

Stories: one partition of the score stage, without Kafka, holds this many stories of six signals each. Then 20 000
signals arrive for random stories, 2 000 at once. The figures are the CPU time of this process and the rise of its
resident memory, each row in a process of its own. Signals of one story: see :mod:`benchmarks.bench_scoring`.
Partitions: the load of the comparison through all of Hubbub on Apache Kafka, on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from benchmarks.bench_scoring import cost
from benchmarks.compare import compare
from benchmarks.curves import Panel, draw
from ingest.signal import Author, Community, Counts, Signal
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import StoryInfo
from streams.records.story_activity import Activity, Entry, StorySignals, WatermarkAdvance
from streams.score.config import ScoreConfig
from streams.score.reading import TextReader
from streams.score.scorer import PartitionScorer

P = ParamSpec("P")
T = TypeVar("T")

STORIES = (100, 1_000, 10_000, 100_000)
SIGNALS = (1_000, 10_000, 100_000, 1_000_000)
PARTITIONS = (1, 2, 4, 8)
FIRST = 6
MORE, AT_ONCE = 20_000, 2_000
THROUGH_KAFKA = 300_000
BEGIN_MS = 1_760_000_000_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Held(NamedTuple):
    """The cost of holding stories. ``signal_us``: CPU time of one more signal. Bytes are those of one story."""

    signal_us: float
    memory_bytes: float
    state_bytes: float
    read_back_seconds: float


def hold(stories: int) -> Held:
    """Measure one partition with this many stories, in a new process."""
    reader, chance = TextReader.load(), random.Random(stories)
    scorer = PartitionScorer({}, ScoreConfig(keep_every_seconds=0, keep_every_behind_seconds=0), reader)
    states: dict[bytes, bytes] = {}
    at_ms, seconds = BEGIN_MS, 0.0

    def advance() -> None:
        nonlocal seconds
        seconds += 1.0
        scorer.take([WatermarkAdvance(SourceWatermark(0, 1, at_ms, idle=True))], seconds)
        states.update((name.encode(), state) for name, state in scorer.advance(at_ms, seconds).states.items() if state)

    empty = _resident_bytes()
    for story in range(stories):
        for number in range(FIRST):
            at_ms += story % 2
            scorer.take([_activity(story, number, at_ms)], seconds)
        if story % AT_ONCE == AT_ONCE - 1:
            advance()
    advance()
    memory = _resident_bytes() - empty - sum(map(len, states.values()))
    load = [(chance.randrange(stories), FIRST + number) for number in range(MORE)]
    spent = 0.0
    for begin in range(0, MORE, AT_ONCE):
        batch = []
        for story, number in load[begin : begin + AT_ONCE]:
            at_ms += 1
            batch.append(_activity(story, number, at_ms))
        began = time.process_time()
        for one in batch:
            scorer.take([one], seconds)
        advance()
        spent += time.process_time() - began
    began = time.process_time()
    PartitionScorer(states, ScoreConfig(), reader)
    read_back = time.process_time() - began
    return Held(spent / MORE * 1e6, memory / stories, sum(map(len, states.values())) / stories, read_back)


def _activity(story: int, number: int, at_ms: int) -> Activity:
    """Return one signal of a story: its post, or a reply to it."""
    post = f"reddit:{story}"
    signal = Signal(
        id=f"{post}.{number}" if number else post,
        kind="reply" if number else "post",
        platform="reddit",
        thread=post,
        author=Author(f"author{number % 97}"),
        community=Community(f"place{story % 50}", 100_000),
        title=None if number else f"What happened in place {story}",
        counts=Counts(likes=number % 40, replies=number % 3),
        created_ms=at_ms,
        observed_ms=at_ms,
    )
    info = StoryInfo(f"st_{story}", f"story-{story}", f"What happened in place {story}", "bench", BEGIN_MS)
    return StorySignals(SourceWatermark(0, 1, 0), 0, info, (Entry(story * 10_000_000 + number, at_ms, signal),))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def _apart(run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of ``run`` in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run, *args, **kwargs).result()


def by_stories(sizes: Sequence[int]) -> Panel:
    """Print how cost grows with live stories."""
    print("live stories | a signal | memory of a story | its state in the log | read by the next owner")
    print("---|---|---|---|---")
    held = []
    for stories in sizes:
        one = _apart(hold, stories)
        held.append(one)
        sizes_of_it = f"{one.memory_bytes:.0f} bytes | {one.state_bytes:.0f} bytes"
        print(f"{stories} | {one.signal_us:.0f} us | {sizes_of_it} | {one.read_back_seconds:.2f} s", flush=True)
    return Panel(
        "By live stories",
        sizes,
        {
            "a signal, CPU µs": [one.signal_us for one in held],
            "read back, CPU ms": [max(one.read_back_seconds, 1e-3) * 1_000 for one in held],
        },
    )


def by_signals(sizes: Sequence[int]) -> Panel:
    """Print how cost grows with the signals of one story."""
    print("\nsignals of one story | 20 more and a score | its ledger\n---|---|---")
    costs = []
    for signals in sizes:
        one = _apart(cost, signals)
        costs.append(one)
        print(f"{signals} | {one.twenty:.0f} us | {one.encoded} bytes", flush=True)
    return Panel(
        "By signals of one story",
        sizes,
        {
            "20 more and a score, CPU µs": [one.twenty for one in costs],
            "its ledger, bytes": [one.encoded for one in costs],
        },
    )


def by_partitions(counts: Sequence[int]) -> Panel:
    """Print the rate of all of Hubbub on topics with this many partitions."""
    print("\npartitions | signals/s | CPU-s per million\n---|---|---")
    rates, spent = [], []
    for partitions in counts:
        (row,) = asyncio.run(compare(["hubbub"], THROUGH_KAFKA, 0, ["plain"], partitions))
        if row.left_out or row.faults:
            raise SystemExit(f"with {partitions} partitions: {row.left_out or row.faults[0]}")
        rates.append(row.rates["plain"])
        spent.append(row.cpu_per_million["plain"])
        print(f"{partitions} | {rates[-1]:.0f} | {spent[-1]:.0f}", flush=True)
    return Panel("By partitions", counts, {"signals/s": rates, "CPU-s per million": spent})


def main() -> None:
    """Measure, print the tables, draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, nargs="+", default=STORIES)
    parser.add_argument("--signals", type=int, nargs="+", default=SIGNALS)
    parser.add_argument("--partitions", type=int, nargs="+", default=PARTITIONS)
    parser.add_argument("--plot", type=Path, help="draw the curves here (SVG)")
    options = parser.parse_args()
    panels = [by_stories(options.stories), by_signals(options.signals), by_partitions(options.partitions)]
    if options.plot:
        options.plot.write_text(draw(panels))


if __name__ == "__main__":
    main()
