"""The participants of the comparison, and how each is set up and started.

Owns commands, settings and the installation of peers, which goes to ``.local/bench``. Every participant may use both
cores: two processes, or two threads. Must never know how it is measured.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job import WATCHED_SITES
from deploy.kafka.cluster import java

__all__ = ["PARTICIPANTS", "Participant", "Run", "UnavailableError"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCAL = ROOT / ".local" / "bench"
PEERS = HERE / "peers"


class UnavailableError(RuntimeError):
    """A participant cannot run here. The message says why, and how to fix it, in one line."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one participant: where it reads and writes. ``folder``: for its files."""

    servers: str
    prefix: str
    group: str
    partitions: int
    folder: Path

    @property
    def signals(self) -> str:
        """The topic that the participant reads."""
        return f"{self.prefix}signals"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of peers."""
        return {
            "BENCH_SERVERS": self.servers,
            "BENCH_GROUP": self.group,
            "BENCH_SIGNALS": self.signals,
            "BENCH_ACTIVITY": f"{self.group}-activity",
            "BENCH_OUTPUT": f"{self.group}-scores",
            "BENCH_PARTITIONS": str(self.partitions),
            "BENCH_STATE": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }


@dataclass(frozen=True, slots=True)
class Participant:
    """A participant. ``prepare`` installs what it needs and returns its commands for a run.

    ``slow``: it gets a tenth of the signals, since it would take an hour for all of them.
    """

    title: str
    prepare: Callable[[Run], list[list[str]]]
    slow: bool = False


def _hubbub(run: Run) -> list[list[str]]:
    beat = run.folder / "bench.toml"
    sites = ", ".join(f'"{site}"' for site in sorted(WATCHED_SITES))
    beat.write_text(f'name = "bench"\ndomains = [{sites}]\n')
    kafka = [f"HUBBUB_KAFKA__BOOTSTRAP_SERVERS={run.servers}", f"HUBBUB_KAFKA__TOPIC_PREFIX={run.prefix}"]
    settings = [*kafka, f'HUBBUB_RESOLVE__BEATS=["{beat}"]', "HUBBUB_METRICS_PORT=0"]
    return [["env", *settings, sys.executable, "-m", "hubbub", role] for role in ("resolve", "score", "score")]


def _floor(_: Run) -> list[list[str]]:
    return [[sys.executable, str(PEERS / "floor.py")]]


def _faust(run: Run) -> list[list[str]]:
    worker = [sys.executable, str(PEERS / "faust_agent.py"), "--loglevel=warn"]
    return [[*worker, f"--datadir={run.folder / f'faust-{number}'}", "worker", "--without-web"] for number in range(2)]


def _quix(run: Run) -> list[list[str]]:
    requirements = PEERS / "quix" / "requirements.txt"
    python = _made(
        "quix",
        requirements,
        lambda folder: [
            [sys.executable, "-m", "venv", str(folder)],
            [
                f"{folder}/bin/python",
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--require-hashes",
                "-r",
                str(requirements),
            ],
        ],
    )
    script = str(PEERS / "quix" / "job_app.py")
    states = [f"BENCH_STATE={run.folder / f'quix-{number}'}" for number in range(2)]
    return [["env", state, str(python / "bin" / "python"), script] for state in states]


def _kafka_streams(_: Run) -> list[list[str]]:
    return [_java("kafka-streams", "hubbub.StreamsJob")]


def _flink(_: Run) -> list[list[str]]:
    inside = ("java.base/java.util=ALL-UNNAMED", "java.base/java.lang=ALL-UNNAMED", "java.base/java.time=ALL-UNNAMED")
    opened = [option for package in inside for option in ("--add-opens", package)]
    return [_java("flink", "hubbub.FlinkJob", *opened)]


def _java(peer: str, main: str, *options: str) -> list[str]:
    """Return the command for a Java peer. Maven resolves its jars, and its sources are compiled."""
    sources = PEERS / peer
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        raise UnavailableError(f"{peer} is built with Maven and Java 17: apt-get install maven openjdk-17-jdk-headless")
    files = sorted(str(file) for folder in (sources, PEERS / "job-java") for file in folder.rglob("*.java"))
    pom = sources / "pom.xml"
    target = _made(
        peer,
        pom,
        lambda folder: [
            ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={folder}/jars"]
        ],
    )
    _install([["javac", "--release", "17", "-cp", f"{target}/jars/*", "-d", f"{target}/classes", *files]], peer)
    return [java(), "-Xmx1g", *options, "-cp", f"{target}/classes:{target}/jars/*", main]


def _made(peer: str, wanted: Path, steps: Callable[[Path], Sequence[Sequence[str]]]) -> Path:
    """Return the folder with what ``peer`` needs. ``steps`` make it unless it was made for the same ``wanted``."""
    folder = LOCAL / peer
    stamp = folder / wanted.name
    if not stamp.is_file() or stamp.read_bytes() != wanted.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _install(steps(folder), peer)
        shutil.copyfile(wanted, stamp)
    return folder


def _install(steps: Sequence[Sequence[str]], peer: str) -> None:
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise UnavailableError(f"{peer} cannot be set up: {' '.join(step[:6])} said: {done.stdout.strip()[-300:]}")


PARTICIPANTS = {
    "floor": Participant("bare consume and decode", _floor),
    "hubbub": Participant("Hubbub", _hubbub),
    "faust": Participant("Faust, an agent per event", _faust, slow=True),
    "quix": Participant("Quix Streams", _quix),
    "kafka-streams": Participant("Kafka Streams (Java)", _kafka_streams),
    "flink": Participant("Flink (Java)", _flink),
}
"""All of them, in the order they run. Hubbub runs soon after the load, so that no story has decayed meanwhile."""
