"""Whether memory or logs grow: hours of traffic in a few minutes, and the memory of every role meanwhile.

    python -m benchmarks.bench_soak [--signals 1200000] [--days 48]

The signals (167 a second for two hours) come evenly in ten minutes, with times spread over the days. Everything is kept
for a day, so stories are resolved and evicted all the time. ``serve`` runs too, and ``collect`` reads simulated
platforms: two hours of their time. For each role the figures are its resident memory, and its rise along a line
through the last half of the samples. For each compacted topic it is the size of the log.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.feed import now_ms, send
from benchmarks.load import make_load
from benchmarks.participants import PARTICIPANTS, Run
from benchmarks.processes import Processes, Sample
from deploy.kafka.cluster import Cluster
from hubbub.clock import WorldClock
from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import free_port
from hubbub.process.simulated_platforms import collector_settings, platforms
from ingest.signal import Signal
from transport.producer import open_producer

PARTITIONS = 4
CHUNK = 20_000
SLICE = 500
PER_SECOND = 2_000
MAY_WAIT = {"signals": 5_000, "story-activity": 500}
"""Records of a topic that may wait when more are published: two to four seconds of them."""
DAY_MS = 86_400_000
KEPT_A_DAY = {
    "HUBBUB_RESOLVE__FORGET_HOURS": "24",
    "HUBBUB_RESOLVE__KEEP_FORGOTTEN_SECONDS": "20",
    "HUBBUB_SCORE__RETENTION_DAYS": "1",
}
AT_THE_WORLDS_PACE = {
    "HUBBUB_COLLECT__REDDIT__WATCH_HOURS": "0.1",
    "HUBBUB_COLLECT__HACKERNEWS__WATCH_HOURS": "0.1",
    "HUBBUB_COLLECT__REDDIT__SWEEP_SECONDS": "10",
}
"""With the defaults, no item would leave the tracked items in the collectors' hour, and full scans would run twice
instead of thirty times."""
COMPACTED = ("hubbub-score-ledgers-changelog", "noise-scores", "stories", "progress")
LIVE = "hubbub_stories_live"
HOUR_MS = 3_600_000
BEFORE_HOURS = 2.0
"""The age of the collectors' world at the start, so that its listings are full from the beginning."""
WORLD_SPEED = 12.0
CHATTER = "800"
MIB = 1 << 20


def rise(samples: Sequence[Sample]) -> float:
    """Return the rise of memory over the last half as a share of its mean, by a least-squares line."""
    half = samples[len(samples) // 2 :]
    at_ms = [sample.at_ms for sample in half]
    sizes = [sample.resident_bytes for sample in half]
    mean_ms, mean = sum(at_ms) / len(half), sum(sizes) / len(half)
    slope = sum((at - mean_ms) * (size - mean) for at, size in zip(at_ms, sizes, strict=True))
    slope /= sum((at - mean_ms) ** 2 for at in at_ms)
    return slope * (at_ms[-1] - at_ms[0]) / mean


def log_bytes(cluster: Path, topic: str) -> int:
    """Return the size of ``topic`` in the broker's log."""
    return sum(file.stat().st_size for file in cluster.glob(f"**/{topic}-[0-9]*/*.log"))


def live_stories(port: int) -> int:
    """Return how many stories ``score`` holds, by its metrics; 0 until it runs."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
    except OSError:
        return 0
    return int(sum(sample.value for family in families for sample in family.samples if sample.name == LIVE))


async def feed(run: Run, count: int, days: float) -> None:
    """Publish ``count`` signals at an even rate, more slowly if the roles do not keep up."""
    begin_ms = now_ms() - int(days * DAY_MS)
    span_ms = int(days * DAY_MS * CHUNK / count)

    def make(number: int) -> list[Signal]:
        at_ms = begin_ms + number * span_ms
        return make_load(CHUNK, relevant_share=1.0, begin_ms=at_ms, span_ms=span_ms, tag=f"{number}-")

    async with (
        open_producer({"bootstrap_servers": run.servers}) as producer,
        _group(run, "resolve") as resolve,
        _group(run, "score") as score,
    ):
        chunk = make(0)
        began = time.monotonic()
        for number in range(count // CHUNK):
            making = asyncio.create_task(asyncio.to_thread(make, number + 1))
            for start in range(0, CHUNK, SLICE):
                await send(producer, chunk[start : start + SLICE], run)
                await _taken(resolve, "signals", run.prefix)
                await _taken(score, "story-activity", run.prefix)
                await asyncio.sleep(began + (number * CHUNK + start + SLICE) / PER_SECOND - time.monotonic())
            chunk = await making


def _group(run: Run, stage: str) -> AIOKafkaConsumer:
    """Return a consumer that reads the offsets of a stage's group without being a member."""
    return AIOKafkaConsumer(
        bootstrap_servers=run.servers, group_id=f"{run.prefix}hubbub-{stage}", enable_auto_commit=False
    )


async def _taken(group: AIOKafkaConsumer, topic: str, prefix: str) -> None:
    """Wait until at most ``WAITING`` records of ``topic`` are not committed."""
    places = [TopicPartition(f"{prefix}{topic}", number) for number in range(PARTITIONS)]
    end = sum((await group.end_offsets(places)).values())
    done = -1
    while end - done > MAY_WAIT[topic]:
        await asyncio.sleep(0.05)
        done = sum([await group.committed(place) or 0 for place in places])


async def main(count: int, days: float) -> int:
    """Run, print, and return 1 if anything grew by 1 %."""
    with tempfile.TemporaryDirectory() as scratch, Cluster(Path(scratch, "kafka"), heap_mib=768) as cluster:
        folder = Path(scratch)
        run = Run(cluster.bootstrap_servers, "soak.", "soak", PARTITIONS, folder)
        for prefix in (run.prefix, "collect."):
            await topic_setup.create({"bootstrap_servers": run.servers}, prefix, PARTITIONS, 1)
        resolve, score, _ = PARTICIPANTS["hubbub"].prepare(run)
        serve = [*score[:-1], "serve"]
        port = free_port()
        score = [f"HUBBUB_METRICS_PORT={port}" if part.startswith("HUBBUB_METRICS_PORT=") else part for part in score]
        collect = [sys.executable, "-m", "hubbub", "collect", "reddit", "hackernews"]
        async with AsyncExitStack() as stack:
            began_ms = now_ms() - int(BEFORE_HOURS * HOUR_MS / WORLD_SPEED)
            hours = BEFORE_HOURS + 1.1 * WORLD_SPEED * count / PER_SECOND / 3_600
            clock = WorldClock(now_ms() - int(hours * HOUR_MS), began_ms, WORLD_SPEED)
            world = platforms(clock, "--hours", f"{hours:.2f}", "--chatter", CHATTER)
            urls = await stack.enter_async_context(world)
            sites = {
                **collector_settings(clock, urls),
                **AT_THE_WORLDS_PACE,
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
            live: list[int] = []
            while not work.done():
                for processes in watched.values():
                    processes.check()
                sizes.append({topic: log_bytes(Path(scratch, "kafka"), f"{run.prefix}{topic}") for topic in COMPACTED})
                live.append(await asyncio.to_thread(live_stories, port))
                await asyncio.wait([work], timeout=2)
            await work
            seconds = time.monotonic() - began
            samples = {role: list(processes.samples) for role, processes in watched.items()}
    print(f"{count} signals of {days:g} days in {seconds:.0f} s: {count / seconds:,.0f}/s\n")
    print("role | memory at half time | at the end | rise over the last half\n---|--:|--:|--:")
    for role, of_role in samples.items():
        half, end = of_role[len(of_role) // 2].resident_bytes, of_role[-1].resident_bytes
        print(f"{role} | {half / MIB:.0f} MiB | {end / MIB:.0f} MiB | {rise(of_role):+.1%}")
    print(f"\nstories held by score: {live[len(live) // 2]:,} at half time, {live[-1]:,} at the end")
    print("\ntopic | log at half time | at the end | the most\n---|--:|--:|--:")
    for topic in COMPACTED:
        half, end, most = sizes[len(sizes) // 2][topic], sizes[-1][topic], max(size[topic] for size in sizes)
        print(f"{topic} | {half / MIB:.1f} MiB | {end / MIB:.1f} MiB | {most / MIB:.1f} MiB")
    return int(any(rise(of_role) >= 0.01 for of_role in samples.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=1_200_000)
    parser.add_argument("--days", type=float, default=48.0)
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.signals, options.days)))
