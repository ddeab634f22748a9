"""``python -m tests.system.chaos``: the whole system under every fault we can inject, and an audit of the result.

Owns the command line, the brokers and the tables at the end. There are two parts, each with its own schedule of faults.
First, collectors read simulated platforms. Then the collected signals are replayed, undisturbed and disturbed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.kafka.cluster import Cluster, KafkaUnavailableError
from hubbub.recordings import read_recordings
from hubbub.settings import KafkaSettings
from tests.system.chaos import live, replayed
from tests.system.chaos.load import fill_up
from tests.system.chaos.replayed import Result
from tests.system.chaos.schedule import RECORDED
from transport.errors import UserError

BROKERS = 3
PARTITIONS = 4
LIVE_SHARE = 0.6
"""The share of the minutes for the live part. The rest is for the replay."""


async def _chaos(
    minutes: float, seed: int, recording_file: Path | None, folder: Path, report: Callable[[str], None]
) -> dict[str, Result]:
    results = {}
    cluster = Cluster(folder, brokers=BROKERS)
    report(f"{BROKERS} brokers, every record on all of them, acknowledged by at least two")
    await asyncio.to_thread(cluster.__enter__)
    try:
        kafka = KafkaSettings(
            bootstrap_servers=cluster.bootstrap_servers,
            topic_prefix="live-",
            partitions=PARTITIONS,
            replication=BROKERS,
        )
        seconds = 60 * minutes * LIVE_SHARE
        if recording_file is None:
            results["live"], recording, world = await live.run(
                kafka=kafka, cluster=cluster, folder=folder, seed=seed, seconds=seconds, report=report
            )
            recording = fill_up(recording, world, 60 * minutes - seconds, random.Random(f"looks {seed}"))
            lines = b"".join(raw + b"\n" for _, raw in recording)
            await asyncio.to_thread((folder / "recording.ndjson").write_bytes, lines)
        else:
            recording = list(read_recordings([recording_file], lambda *_: None))
        results["recorded"] = await replayed.run(
            recording,
            kafka=kafka.model_copy(update={"topic_prefix": ""}),
            folder=folder,
            seed=f"recorded {seed}",
            queues=RECORDED,
            seconds=60 * minutes - seconds,
            report=report,
            cluster=cluster,
            environment=live.TICK_SETTINGS,
        )
    finally:
        await asyncio.to_thread(cluster.stop)
    return results


def _print(results: Mapping[str, Result]) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for part, result in results.items():
        table = Table("at", "fault", "target", "evidence", title=f"{part}: faults injected", title_justify="left")
        for fault in sorted(result.injected, key=lambda fault: fault.at_seconds):
            kind = Text(fault.kind) if fault.observed else Text(f"{fault.kind}: NOT OBSERVED", style="bold red")
            table.add_row(f"{fault.at_seconds:.1f} s", kind, fault.target, Text(fault.evidence))
        console.print(table)
        table = Table("promise", "", "found", title=f"{part}: findings", title_justify="left")
        for finding in result.findings:
            kept = Text("kept", style="green") if finding.kept else Text("BROKEN", style="bold red")
            table.add_row(finding.promise, kept, Text(finding.found))
        console.print(table)
        for why, times in result.failures.items():
            console.print(Text(f"  a role failed by itself, {times}x: {why}"[:300]))
        console.print(f"  {result.load}\n")


def main() -> int:
    """Run it. Return the exit code: 0 if all promises are kept and every fault was observed, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.chaos",
        description="Kill, stop and poison a running Hubbub, and check that nothing is lost.",
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults are injected (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the world and of the schedule (default: 1)")
    parser.add_argument("--recording", type=Path, metavar="FILE", help="only replay this file; collect nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the recording and all logs there")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # Kafka's client logs a lot while brokers die.
    began = time.monotonic()

    def report(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {what}\n")

    with tempfile.TemporaryDirectory(prefix="hubbub-chaos-") as folder:
        try:
            results = asyncio.run(_chaos(options.minutes, options.seed, options.recording, Path(folder), report))
        except (KafkaUnavailableError, UserError) as error:
            sys.stderr.write(f"chaos: {error}\n")
            return 1
        finally:
            if options.keep is not None:
                logs = shutil.ignore_patterns("data")
                shutil.copytree(folder, options.keep, ignore=logs, dirs_exist_ok=True)
    kept = all(f.kept for result in results.values() for f in result.findings)
    observed = all(fault.observed for result in results.values() for fault in result.injected)
    if options.json:
        document = {"seed": options.seed, "minutes": options.minutes, "kept": kept and observed, **results}
        sys.stdout.write(json.dumps(msgspec.to_builtins(document), indent=2) + "\n")
    else:
        _print(results)
        conclusion = f"seed {options.seed}: " + ("all promises kept" if kept and observed else "BROKEN")
        sys.stdout.write(f"{conclusion}; {time.monotonic() - began:.0f} s in all\n")
    return 0 if kept and observed else 1


if __name__ == "__main__":
    sys.exit(main())
