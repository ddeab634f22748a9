"""``python -m hubbub.world``: the simulated platforms as a process of their own.

Owns the command line and the process: it prints one JSON line when it is ready, serves until SIGTERM or SIGINT, and
then exits with 0. Must never know who reads the platforms.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import msgspec

from hubbub.clock import WorldClock, wall_clock
from hubbub.world.faults import Faults
from hubbub.world.generated import DEMO, Size, generate
from hubbub.world.recorded import read_recording
from hubbub.world.servers import SIMULATORS, Platforms
from hubbub.world.truth import truth
from transport.errors import UserError

SPEED = 240.0


def main(arguments: list[str] | None = None) -> int:
    """Run the simulated platforms until a signal ends them; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except (OSError, UserError) as error:
        sys.stderr.write(f"hubbub.world: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hubbub.world",
        description="Serve the simulated platforms on loopback.",
        epilog="example: python -m hubbub.world --seed 7 --reddit-port 8101",
    )
    parser.add_argument("--seed", type=int, default=1, help="which world, and which requests faults strike")
    parser.add_argument(
        "--clock", type=WorldClock.parse, metavar="ORIGIN@STARTEDxSPEED", help="the world's time, epoch ms"
    )
    for name in SIMULATORS:
        parser.add_argument(f"--{name}-port", type=int, default=0, metavar="PORT", help="0, the default: a free one")
    parser.add_argument("--budget-factor", type=float, metavar="N", help="times as many requests as platforms allow")
    parser.add_argument("--hours", type=float, default=DEMO.hours, help="how long the generated world lasts")
    parser.add_argument("--stories", type=int, default=DEMO.stories, help="how many stories it has")
    parser.add_argument("--chatter", type=int, default=DEMO.chatter, help="how many unrelated posts it has")
    parser.add_argument("--replies", type=int, default=DEMO.replies, help="how many replies its loudest story gets")
    parser.add_argument("--votes", type=float, default=DEMO.votes, help="how many times as many votes chatter gets")
    parser.add_argument("--data", type=Path, metavar="FILE", help="serve recorded signals (NDJSON, .gz, .zst) instead")
    parser.add_argument("--truth-out", type=Path, metavar="FILE", help="where to write the truth on exit, as JSON")
    return parser


async def _run(options: argparse.Namespace) -> int:
    started_ms = wall_clock()
    left_out: dict[str, int] = {}
    if options.data is not None:
        world, left_out = read_recording(options.data)
        clock = options.clock or WorldClock(world.begins_ms, started_ms, SPEED)
    else:
        clock = options.clock or WorldClock(started_ms, started_ms, SPEED)
        size = Size(options.hours, options.stories, options.chatter, options.replies, options.votes)
        world = generate(options.seed, clock.origin_ms, size, SIMULATORS)
    budget_factor = options.budget_factor or max(1.0, clock.speed)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ports = {name: getattr(options, f"{name}_port") for name in SIMULATORS}
    faults = Faults(seed=options.seed)
    async with Platforms(world, clock, faults=faults, ports=ports, budget_factor=budget_factor) as platforms:
        ready = {
            **{f"{name}_url": url for name, url in platforms.urls.items()},
            "clock": str(clock),
            "begins_ms": world.begins_ms,
            "ends_ms": world.ends_ms,
            "items": len(world),
            "left_out": left_out,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
    if options.truth_out is not None:
        options.truth_out.write_bytes(msgspec.json.encode(truth(world, clock())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
