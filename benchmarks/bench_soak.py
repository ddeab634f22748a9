"""Whether anything grows: an hour's worth of traffic in a few minutes, and the memory of every role meanwhile.

    python -m benchmarks.bench_soak [--signals 600000] [--days 8]

So many signals (167 a second for an hour) are taken as fast as they can be, as if seen over so many days, so that
stories are resolved and forgotten all the while: everything is kept for a day. ``serve`` follows along, and ``collect``
reads simulated platforms, an hour of theirs in the time that this takes at most. Of each role: its resident memory, and
how far a line through the last half of the samples rises. Of the compacted topics: their size in the broker's log.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.feed import make_topics, now_ms, publish
from benchmarks.load import make_load
from benchmarks.participants import PARTICIPANTS, Run
from benchmarks.processes import Processes, Sample
from deploy.kafka.cluster import Cluster
from hubbub import topics
from hubbub.clock import WorldClock
from hubbub.simulated import collector_settings, platforms

PARTITIONS = 4
CHUNK = 20_000
MAY_WAIT = 0.02
"""The share of a topic that may wait when more comes."""
DAY_MS = 86_400_000
KEPT_A_DAY = {"HUBBUB_RESOLVE__FORGET_HOURS": "24", "HUBBUB_SCORE__RETENTION_DAYS": "1"}
COMPACTED = ("hubbub-score-ledgers-changelog", "noise-scores", "stories", "progress")
WORLD_HOURS = 1.0
WORLD_SPEED = 12.0
MIB = 1 << 20


def rise(samples: Sequence[Sample]) -> float:
    """Return by which share of its mean the memory rises over the last half, along a line of least squares."""
    half = samples[len(samples) // 2 :]
    at_ms = [sample.at_ms for sample in half]
    sizes = [sample.resident_bytes for sample in half]
    mean_ms, mean = sum(at_ms) / len(half), sum(sizes) / len(half)
    slope = sum((at - mean_ms) * (size - mean) for at, size in zip(at_ms, sizes, strict=True))
    slope /= sum((at - mean_ms) ** 2 for at in at_ms)
    return slope * (at_ms[-1] - at_ms[0]) / mean


def log_bytes(cluster: Path, topic: str) -> int:
    """Return what the broker keeps of ``topic``."""
    return sum(file.stat().st_size for file in cluster.glob(f"**/{topic}-[0-9]*/*.log"))


async def feed(run: Run, count: int, days: float) -> None:
    """Publish ``count`` signals, never far ahead of those who read them."""
    begin_ms = now_ms() - int(days * DAY_MS)
    span_ms = int(days * DAY_MS * CHUNK / count)
    async with _group(run, "resolve") as resolve, _group(run, "score") as score:
        for number in range(count // CHUNK):
            begins_ms = begin_ms + number * span_ms
            chunk = make_load(CHUNK, relevant_share=1.0, begin_ms=begins_ms, span_ms=span_ms, tag=f"{number}-")
            await publish(chunk, run)
            await _taken(resolve, run.signals)
            await _taken(score, f"{run.prefix}story-activity")


def _group(run: Run, stage: str) -> AIOKafkaConsumer:
    """Return a consumer that asks for the offsets of a stage's group, of which it is no member."""
    return AIOKafkaConsumer(
        bootstrap_servers=run.servers, group_id=f"{run.prefix}hubbub-{stage}", enable_auto_commit=False
    )


async def _taken(group: AIOKafkaConsumer, topic: str) -> None:
    """Wait until what ``topic`` has now is committed but for what may wait."""
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    end = sum((await group.end_offsets(places)).values())
    done = -1
    while done < end * (1 - MAY_WAIT):
        await asyncio.sleep(0.2)
        done = sum([await group.committed(place) or 0 for place in places])


async def main(count: int, days: float) -> int:
    """Run, print, and return 1 if anything grew by a hundredth."""
    with tempfile.TemporaryDirectory() as scratch, Cluster(Path(scratch, "kafka"), heap_mib=768) as cluster:
        folder = Path(scratch)
        run = Run(cluster.bootstrap_servers, "soak.", "soak", PARTITIONS, folder)
        await make_topics(run)
        await topics.create({"bootstrap_servers": run.servers}, "collect.", PARTITIONS, 1)
        resolve, score, _ = PARTICIPANTS["hubbub"].prepare(run)
        serve = [*score[:-1], "serve"]
        collect = [sys.executable, "-m", "hubbub", "collect", "reddit", "hackernews"]
        async with AsyncExitStack() as stack:
            clock = WorldClock(now_ms() - int(WORLD_HOURS * 3_600_000), now_ms() + 10_000, WORLD_SPEED)
            urls = await stack.enter_async_context(platforms(clock, "--hours", str(WORLD_HOURS)))
            sites = {
                **collector_settings(clock, urls),
                "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": run.servers,
                "HUBBUB_KAFKA__TOPIC_PREFIX": "collect.",
                "HUBBUB_METRICS_PORT": "0",
            }
            watched = {}
            for role, command, more in (
                ("resolve", resolve, KEPT_A_DAY),
                ("score", score, KEPT_A_DAY),
                ("serve", serve, {"HUBBUB_SERVE__PORT": "0"}),
                ("collect", collect, sites),
            ):
                own = folder / role
                own.mkdir()
                processes = Processes([command], {**run.environment, **more}, own)
                watched[role] = stack.enter_context(processes)
            began = time.monotonic()
            work = asyncio.create_task(feed(run, count, days))
            sizes: list[dict[str, int]] = []
            while not work.done():
                for processes in watched.values():
                    processes.check()
                sizes.append({topic: log_bytes(Path(scratch, "kafka"), f"{run.prefix}{topic}") for topic in COMPACTED})
                await asyncio.wait([work], timeout=2)
            await work
            seconds = time.monotonic() - began
            samples = {role: list(processes.samples) for role, processes in watched.items()}
    print(f"{count} signals of {days:g} days in {seconds:.0f} s: {count / seconds:,.0f}/s\n")
    print("role | memory at half time | at the end | rise over the last half\n---|--:|--:|--:")
    for role, of_role in samples.items():
        half, end = of_role[len(of_role) // 2].resident_bytes, of_role[-1].resident_bytes
        print(f"{role} | {half / MIB:.0f} MiB | {end / MIB:.0f} MiB | {rise(of_role):+.1%}")
    print("\ntopic | log at half time | at the end | the most\n---|--:|--:|--:")
    for topic in COMPACTED:
        half, end, most = sizes[len(sizes) // 2][topic], sizes[-1][topic], max(size[topic] for size in sizes)
        print(f"{topic} | {half / MIB:.1f} MiB | {end / MIB:.1f} MiB | {most / MIB:.1f} MiB")
    return int(any(rise(of_role) >= 0.01 for of_role in samples.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=600_000)
    parser.add_argument("--days", type=float, default=8.0)
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.signals, options.days)))
