"""All collectors in one process: signals a second, what blocks the event loop, and whether memory grows.

    python -m benchmarks.bench_collectors [--seconds 120] [--chatter 54000] [--json]

A process of its own plays all platforms: a generated hour of them within ``--seconds``, 3 000 signals a second. All of
it is relevant, and an embedded broker takes it. Where the machine is too slow for that, collectors fall behind and the
run takes longer, up to ``--longest-seconds``. A block of the loop is the CPU time of one callback, once all collectors
have started. It does not count what else the machine does. Memory is resident memory, over each third of the signals.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Any, Final

from benchmarks.loop_watch import LoopWatch
from hubbub.clock import WorldClock, wall_clock
from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker
from hubbub.process.run_role import COLLECTORS_COLLECT_AFTER
from hubbub.process.simulated_platforms import platforms
from hubbub.world.servers import SIMULATORS
from ingest import metrics
from ingest.collect import collect
from ingest.collector import CollectorConfig
from ingest.health import Health
from ingest.registry import PLATFORMS

PAGE_BYTES: Final = 4096
MIB: Final = 1 << 20
HOUR_MS: Final = 3_600_000
REQUESTS_PER_MINUTE: Final = 60_000
WATCH_HOURS: Final = 0.1
"""With the defaults of days, no item would leave the tracked ones within the hour."""
BEFORE_SECONDS: Final = 3.0
"""Real time from the start of the world to that of the collectors: listings are not empty."""
IDLE_SECONDS: Final = 20
IDLE_SHARE: Final = 0.01
"""After the hour's end the run ends once that many seconds bring no more than this share of all signals."""
WARM_SECONDS: Final = 60.0
"""At most so long is waited until every collector has started, which loads its code."""


def configs(urls: dict[str, Any]) -> dict[str, CollectorConfig]:
    """Return the options of all collectors, with no limit on requests that would matter here."""
    made: dict[str, CollectorConfig] = {}
    for name, simulator in SIMULATORS.items():
        kind = PLATFORMS[name].config
        options = simulator.options(urls[f"{name}_url"]) | dict(simulator.fast_options)
        options["requests_per_minute"] = REQUESTS_PER_MINUTE
        if "watch_hours" in kind.model_fields:
            options["watch_hours"] = WATCH_HOURS
        if "instance_requests_per_minute" in kind.model_fields:
            options["instance_requests_per_minute"] = REQUESTS_PER_MINUTE
        made[name] = kind.model_validate(options)
    return made


def published() -> dict[str, int]:
    """Return how many signals the broker has acknowledged, by collector."""
    return {name: int(_value(metrics.SIGNALS_PUBLISHED.labels(name).collect())) for name in SIMULATORS}


def _value(families: Any) -> float:
    return float(
        next(sample.value for family in families for sample in family.samples if not sample.name.endswith("_created"))
    )


def resident_mib() -> float:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / MIB


async def measure(seconds: float, longest: float, chatter: int, replies: int) -> dict[str, Any]:
    """Run all collectors on an hour of the world; return the figures."""
    speed = HOUR_MS / 1000 / seconds
    async with EmbeddedBroker() as broker:
        kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
        await topic_setup.create(kafka, "", 4, 1)
        making_seconds = 10 + 0.6 * chatter / 1000  # the world is made before it is served, and its clock is given
        starts_ms = wall_clock() + int(1000 * making_seconds)
        clock = WorldClock(starts_ms, starts_ms, speed)
        sizes = ["--hours", "1", "--chatter", str(chatter), "--replies", str(replies), "--budget-factor", "100000"]
        async with platforms(clock, *sizes) as urls:
            await asyncio.sleep(max(0.0, starts_ms / 1000 + BEFORE_SECONDS - time.time()))
            return await _run(configs(urls), kafka, clock, longest)


async def _run(
    made: dict[str, CollectorConfig], kafka: dict[str, object], clock: WorldClock, longest: float
) -> dict[str, Any]:
    stop, health = asyncio.Event(), Health()
    gc.freeze()
    gc.set_threshold(*COLLECTORS_COLLECT_AFTER)
    memory: list[tuple[int, float]] = []
    ends_ms = clock.origin_ms + HOUR_MS
    work = asyncio.create_task(collect(made, kafka=kafka, topics="", now_ms=clock, stop=stop, health=health))
    began = time.monotonic()
    await asyncio.wait([work], timeout=1)  # from then on each has a problem until its first success
    while health.problems and time.monotonic() - began < WARM_SECONDS:
        await asyncio.wait([work], timeout=0.2)
    before = published()
    with LoopWatch() as watch:
        cpu, began = time.process_time(), time.monotonic()
        while time.monotonic() - began < longest and not work.done():
            await asyncio.wait([work], timeout=1)
            counts = {name: count - before[name] for name, count in published().items()}
            count = sum(counts.values())
            memory.append((count, resident_mib()))
            idle = count - memory[-IDLE_SECONDS:][0][0] <= IDLE_SHARE * count
            if idle and clock() > ends_ms and len(memory) > IDLE_SECONDS:
                break
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        problems = list(health.problems)
        stop.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(work, 30)
    total = sum(counts.values())
    thirds = [
        mean([mib for count, mib in memory if part * total <= 3 * count <= (part + 1) * total] or [0.0])
        for part in range(3)
    ]
    return {
        "signals": total,
        "seconds": round(took, 1),
        "signals_per_second": round(total / took),
        "signals_per_second_by_collector": {name: round(count / took, 1) for name, count in counts.items()},
        "microseconds_of_cpu_per_signal": round(1e6 * cpu / max(1, total)),
        "share_of_a_core_at_3000_per_second": round(3000 * cpu / max(1, total), 2),
        "longest_block_ms": round(watch.longest_ms, 1),
        "longest_block_ms_with_other_threads": round(watch.longest_with_threads_ms, 1),
        "mib_by_thirds": [round(mib, 1) for mib in thirds],
        "blocks": [
            f"{block.ms:.0f} ms: {block.at}" for block in sorted(watch.blocks, key=lambda block: block.ms, reverse=True)
        ],
        "problems": problems,
    }


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    for name, figure in figures.items():
        if isinstance(figure, dict):
            yield f"{name}:"
            yield from (f"    {inner:36} {value:>12,}" for inner, value in figure.items())
        elif isinstance(figure, list):
            yield f"{name}: {len(figure)}"
            yield from (f"    {line}" for line in figure)
        else:
            yield f"{name:40} {figure:>12,}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--longest-seconds", type=float, default=600.0)
    parser.add_argument("--chatter", type=int, default=54_000)
    parser.add_argument("--replies", type=int, default=20_000, help="to the loudest story")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.seconds, options.longest_seconds, options.chatter, options.replies))
    sys.stdout.write(f"{json.dumps(figures) if options.json else chr(10).join(_lines(figures))}\n")


if __name__ == "__main__":
    main()
