"""Collectors as a process of their own, for tests that kill it. Run: python -m tests.ingest.collect_process JSON."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from hubbub.clock import WorldClock
from ingest.collect import collect
from ingest.loop import LoopOptions
from ingest.registry import PLATFORMS

IMPATIENT = {"retry_max_seconds": 0.5}


async def main(kafka: dict[str, object], topics: str, clock: str, configs: dict[str, dict[str, object]]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await collect(
        {
            name: PLATFORMS[name].config.model_validate({"retry_max_seconds": 0.5} | options)
            for name, options in configs.items()
        },
        kafka=kafka,
        topics=topics,
        now_ms=WorldClock.parse(clock),
        stop=stop,
        options=LoopOptions(retry_first_seconds=0.05),
    )


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
