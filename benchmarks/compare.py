"""Hubbub and its peers on real Kafka: the same job on the same load, how fast it is done, and whether it is right.

    python -m benchmarks.compare [--seconds 20] [--signals 400000] [--peers hubbub faust …] [--json FILE] [--plot FILE]

Owns the order of the runs. README.md and job.py define the job.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.feed import make_topics, now_ms, publish
from benchmarks.load import make_load
from benchmarks.participants import PARTICIPANTS, Run, UnavailableError
from benchmarks.processes import EndedError, Processes
from benchmarks.report import ResultRow, machine, plot, table, write_json
from benchmarks.results import EmittedScore, Expected, begun_ms, differences, finished_ms, latencies_ms, read_emitted
from deploy.kafka.cluster import Cluster, KafkaUnavailableError

PARTITIONS = 4
RATE = 2_000
"""Signals per second while latency is measured."""
WARM_SECONDS = 10
QUIET_SECONDS = 3.0
GIVE_UP_SECONDS = 45.0
BEGIN_SECONDS = 180.0
LIMIT_SECONDS = 400.0
LEAST_MS = 500
"""A participant that emits everything in less time than this has emitted it at once. That gives no rate."""


@dataclass(frozen=True, slots=True)
class Round:
    """A load: which share is relevant, and how many signals there are per second of event time.

    ``texted``: replies have texts. The job does not use them, but Hubbub reads them.
    ``signals``: how many; None: the number of the command line, or a tenth of it for slow peers.
    """

    relevant_share: float
    per_second: float
    signals: int | None = None
    texted: bool = True


ROUNDS = {
    "check": Round(1.0, 2, signals=10_000),  # spread over an hour and a half, so that windows differ
    "plain": Round(1.0, 20_000, texted=False),
    "all": Round(1.0, 20_000),
    "tenth": Round(0.1, 20_000),
}
"""The loads, before ``live``. The first one only checks the results."""


class Comparison:
    """One comparison on one broker."""

    def __init__(self, servers: str, folder: Path, signals: int, seconds: int, partitions: int = PARTITIONS) -> None:
        self._partitions = partitions
        self._servers = servers
        self._folder = folder
        self._signals = signals
        self._seconds = seconds
        self._expected: dict[str, Expected] = {}

    def _run(self, participant: str, load: str) -> Run:
        folder = self._folder / f"{participant}-{load}"
        folder.mkdir(parents=True, exist_ok=True)
        return Run(self._servers, f"{load}.", f"{participant}-{load}", self._partitions, folder)

    async def work_through(self, participant: str, kind: str, row: ResultRow) -> None:
        """Let a participant process a load that waits for it, and record the rate."""
        who, what = PARTICIPANTS[participant], ROUNDS[kind]
        count = what.signals or (self._signals // 10 if who.slow else self._signals)
        run = self._run(participant, f"{kind}-{count}")
        await make_topics(run)
        expected = self._expected.get(run.prefix)
        if expected is None:
            span_ms = int(count / what.per_second * 1_000)
            signals = make_load(
                count,
                relevant_share=what.relevant_share,
                begin_ms=now_ms() - span_ms,
                span_ms=span_ms,
                texted=what.texted,
            )
            expected = self._expected[run.prefix] = Expected.of(signals)
            await publish(signals, run)
            del signals
        with Processes(who.prepare(run), run.environment, run.folder) as processes:
            emitted = await self._until_done(run, participant, processes, expected)
        faults = [] if participant == "floor" else differences(emitted, expected)
        row.faults += faults
        if kind == "check" or faults:  # a participant that did not emit everything gets no rate
            return
        begin_ms, end_ms = emitted[0].at_ms, finished_ms(emitted)
        if participant == "hubbub":
            # The first stage works while the last one still joins its group, and it emits seldom. All of that counts.
            begin_ms = await begun_ms(run)
        elif participant != "floor":
            # Groups form and compilers warm up, so the first quarter does not count for a peer.
            begin_ms = emitted[len(emitted) // 4].at_ms
            count -= count // 4
        row.peak_bytes = max(row.peak_bytes, processes.peak_bytes())
        if end_ms - begin_ms >= LEAST_MS:
            row.rates[kind] = count / (end_ms - begin_ms) * 1_000
            row.cpu_per_million[kind] = processes.cpu_seconds(begin_ms, end_ms) / count * 1e6

    async def live(self, participant: str, row: ResultRow) -> None:
        """Send a participant signals at their time, and record the latency of its scores."""
        run = self._run(participant, f"live-{participant}")
        await make_topics(run)
        first = make_load(200, relevant_share=1.0, begin_ms=now_ms() - 1_000, span_ms=1_000, tag="first")
        await publish(first, run)
        who = PARTICIPANTS[participant]
        with Processes(who.prepare(run), run.environment, run.folder) as processes:
            await self._until_begun(run, participant, processes)
            seconds = WARM_SECONDS + self._seconds
            begin_ms = now_ms() + 2_000
            begin_ms += (RATE * seconds) // 50  # generating the load takes a while
            signals = make_load(RATE * seconds, relevant_share=1.0, begin_ms=begin_ms, span_ms=seconds * 1_000)
            await publish(signals, run, paced=True)
            expected = Expected.of([*first, *signals])
            emitted = await self._until_done(run, participant, processes, expected)
        row.faults += differences(emitted, expected)
        late = latencies_ms(signals[RATE * WARM_SECONDS :], emitted, expected)
        cuts = statistics.quantiles(late, n=100)
        row.p50_ms, row.p99_ms = cuts[49], cuts[98]
        row.peak_bytes = max(row.peak_bytes, processes.peak_bytes())

    async def _until_begun(self, run: Run, participant: str, processes: Processes) -> None:
        deadline = time.monotonic() + BEGIN_SECONDS
        while not await self._told(run, participant):
            processes.check()
            if time.monotonic() > deadline:
                raise EndedError(f"{participant} emitted nothing within {BEGIN_SECONDS:.0f} s")
            await asyncio.sleep(0.2)

    async def _until_done(
        self, run: Run, participant: str, processes: Processes, expected: Expected
    ) -> list[EmittedScore]:
        """Return the emitted scores when they are right, or when nothing has been emitted for long."""
        await self._until_begun(run, participant, processes)
        deadline, count, since = time.monotonic() + LIMIT_SECONDS, 0, time.monotonic()
        while time.monotonic() < deadline:
            processes.check()
            await asyncio.sleep(0.5)
            if (now := await self._told(run, participant)) != count:
                count, since = now, time.monotonic()
            silent_seconds = time.monotonic() - since
            if participant == "floor":
                if count == 2:
                    break
            elif silent_seconds > QUIET_SECONDS:
                emitted = await read_emitted(run, hubbub=participant == "hubbub", expected=expected)
                if silent_seconds > GIVE_UP_SECONDS or not differences(emitted, expected):
                    return emitted
        return await read_emitted(run, hubbub=participant == "hubbub", expected=expected)

    async def _told(self, run: Run, participant: str) -> int:
        """Return how many records a participant has emitted."""
        topic = f"{run.prefix}noise-scores" if participant == "hubbub" else run.environment["BENCH_OUTPUT"]
        async with AIOKafkaConsumer(bootstrap_servers=self._servers) as consumer:
            ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(self._partitions)])
        return sum(ends.values())


async def compare(
    names: Sequence[str], signals: int, seconds: int, rounds: Sequence[str], partitions: int
) -> list[ResultRow]:
    """Run everything and return a row for each participant."""
    rows = {name: ResultRow(name, PARTICIPANTS[name].title) for name in names}
    with tempfile.TemporaryDirectory() as scratch, Cluster(Path(scratch, "kafka"), heap_mib=768) as cluster:
        comparison = Comparison(cluster.bootstrap_servers, Path(scratch), signals, seconds, partitions)
        for kind in rounds:
            for name, row in rows.items():
                if row.left_out or (name == "floor" and kind in {"check", "live"}):
                    continue
                print(f"{kind:6} {name} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
                try:
                    if kind == "live":
                        await comparison.live(name, row)
                    else:
                        await comparison.work_through(name, kind, row)
                except (UnavailableError, EndedError) as error:
                    row.left_out = str(error)
    return list(rows.values())


def main() -> int:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=400_000, help="number of signals (slow peers: a tenth)")
    parser.add_argument(
        "--seconds", type=int, default=20, help="seconds of latency at 2 000 signals/s (after 10 of warm-up)"
    )
    parser.add_argument("--partitions", type=int, default=PARTITIONS, help="partitions of each topic")
    parser.add_argument("--peers", nargs="+", choices=PARTICIPANTS, default=list(PARTICIPANTS), help="participants")
    parser.add_argument("--rounds", nargs="+", choices=[*ROUNDS, "live"], default=[*ROUNDS, "live"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--plot", type=Path, help="write a picture (SVG) here")
    options = parser.parse_args()
    facts = machine()
    try:
        rows = asyncio.run(compare(options.peers, options.signals, options.seconds, options.rounds, options.partitions))
    except KafkaUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows))
    if options.json:
        write_json(options.json, rows, facts, options.signals)
    if options.plot:
        options.plot.write_text(plot(rows))
    return int(any(row.faults for row in rows))


if __name__ == "__main__":
    sys.exit(main())
