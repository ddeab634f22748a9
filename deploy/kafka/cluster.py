"""Apache Kafka as plain JVM processes on loopback: for tests, benchmarks, chaos and ``make kafka``. No root, no Docker.

Owns resolving the jars (Maven, ``pom.xml``), formatting KRaft storage, and starting and stopping one to three brokers.
Needs Java 17 and, the first time, Maven; of Python only the standard library. Must never know Hubbub's topics.

    python3 deploy/kafka/cluster.py --port 9092 --brokers 1
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["Cluster", "KafkaUnavailableError"]

HERE: Final = Path(__file__).resolve().parent
LOCAL: Final = HERE.parents[1] / ".local" / "kafka"
POM: Final = HERE / "pom.xml"
VERSION: Final = ET.parse(POM).findtext(".//{*}kafka.version")  # noqa: S314 (our own file)
HOST: Final = "127.0.0.1"
CLUSTER_ID: Final = "aHViYnViLW9uLWxvb3BiYQ"
MIN_JAVA: Final = 17
START_TIMEOUT_SECONDS: Final = 90.0
STOP_TIMEOUT_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.05
READY: Final = b"Kafka Server started"
TOOLS: Final = {
    "kafka-configs.sh": "ConfigCommand",
    "kafka-console-producer.sh": "ConsoleProducer",
    "kafka-consumer-groups.sh": "consumer.group.ConsumerGroupCommand",
    "kafka-reassign-partitions.sh": "reassign.ReassignPartitionsCommand",
    "kafka-topics.sh": "TopicCommand",
}
"""Kafka's tools that the runbook uses: classes of org.apache.kafka.tools."""


class KafkaUnavailableError(RuntimeError):
    """Apache Kafka cannot run on this machine. The message says why and what to do, in one line."""


def java() -> str:
    """Return the path of a Java that can run Kafka's broker.

    Raises:
        KafkaUnavailableError: Java is missing or too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if found is None:
        raise KafkaUnavailableError("Apache Kafka needs Java 17 or newer: apt-get install openjdk-17-jre-headless")
    output = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < MIN_JAVA:
        raise KafkaUnavailableError(f"Apache Kafka needs Java 17 or newer, but {found} is {output.splitlines()[0]}")
    return found


def jars() -> Path:
    """Return the folder of Kafka's jars. Maven resolves them on first use (about 100 MB, kept in ``.local/kafka``).

    Raises:
        KafkaUnavailableError: the jars are missing, and Maven is missing or fails.
    """
    folder = LOCAL / f"jars-{VERSION}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("Maven is needed to download Apache Kafka: apt-get install maven")
    LOCAL.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "jars.lock").open("w") as lock, tempfile.TemporaryDirectory(dir=LOCAL) as fresh:
        fcntl.flock(lock, fcntl.LOCK_EX)  # only one Maven at a time may write Maven's repository
        if folder.is_dir():
            return folder
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={fresh}/jars"]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode != 0:
            reason = next((line for line in run.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise KafkaUnavailableError(f"Maven could not resolve Apache Kafka {VERSION}: {reason}")
        Path(fresh, "jars").rename(folder)
    return folder


def tools() -> Path | None:
    """Return a folder with a script for each of :data:`TOOLS`; None if Maven cannot get their jar, which is apart."""
    folder = LOCAL / "bin"
    jar = folder / f"kafka-tools-{VERSION}.jar"
    artifact = f"-Dartifact=org.apache.kafka:kafka-tools:{VERSION}"
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy", artifact, f"-DoutputDirectory={folder}"]
    if not jar.exists() and (shutil.which("mvn") is None or subprocess.run(command, check=False).returncode):
        return None
    run = [java(), "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{jars()}/*:{jar}"]
    for name, tool in TOOLS.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join([*run, f"org.apache.kafka.tools.{tool}"])} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@dataclass(slots=True)
class _Node:
    """One broker, which is also a controller: its folder, its ports and its process. 0: no port for logins."""

    folder: Path
    port: int
    controller_port: int
    login_port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def settings(self) -> Path:
        return self.folder / "server.properties"

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"


class Cluster:
    """``brokers`` Kafka brokers (1 or 3) that run as long as the ``with`` block, with their data in ``folder``.

    ``port``: port of the first broker; the others take the next ones. None takes free ports. ``heap_mib``: heap of each
    broker's JVM. ``logins``: passwords by user; with any, each broker has another port, for SASL_PLAINTEXT.
    Every replication factor is ``brokers``; with three brokers a write waits for two replicas. On Linux with util-linux
    the kernel kills the brokers when the thread that started them ends.

    Raises (on entering):
        KafkaUnavailableError: Java or Maven is missing, a port is taken, or a broker does not start.
    """

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 1,
        port: int | None = None,
        heap_mib: int = 384,
        logins: Mapping[str, str] | None = None,
    ) -> None:
        self._heap_mib = heap_mib
        self._logins = logins or {}
        wanted = [None if port is None else port + index for index in range(brokers)]
        ports = _free_ports([*wanted, *([None] * brokers * (2 if self._logins else 1))])
        self._nodes = [
            _Node(
                (folder / f"broker-{index}").resolve(),
                ports[index],
                ports[brokers + index],
                (ports[2 * brokers :] or [0] * brokers)[index],
            )
            for index in range(brokers)
        ]

    @property
    def bootstrap_servers(self) -> str:
        """Comma-separated ``host:port`` of all brokers."""
        return ",".join(f"{HOST}:{node.port}" for node in self._nodes)

    @property
    def login_servers(self) -> str:
        """Comma-separated ``host:port`` of all brokers, where a client must log in."""
        return ",".join(f"{HOST}:{node.login_port}" for node in self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __enter__(self) -> Self:
        try:
            self._format()
            for index in range(len(self)):
                self._launch(index)
            self._wait_until_ready(self._nodes)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def pid(self, index: int = 0) -> int:
        """Return the process id of broker ``index``."""
        return self._running(index).pid

    def kill(self, index: int = 0) -> None:
        """Kill broker ``index`` (SIGKILL)."""
        process = self._running(index)
        process.kill()
        process.wait()
        self._nodes[index].process = None

    def pause(self, index: int = 0) -> None:
        """Freeze broker ``index`` (SIGSTOP): its connections stay open and silent."""
        self._running(index).send_signal(signal.SIGSTOP)

    def resume(self, index: int = 0) -> None:
        """Continue a frozen broker (SIGCONT)."""
        self._running(index).send_signal(signal.SIGCONT)

    def restart(self, index: int = 0) -> None:
        """Start broker ``index`` again on its own data and port, and wait until it is ready."""
        self._launch(index)
        self._wait_until_ready([self._nodes[index]])

    def stop(self) -> None:
        """End all brokers: SIGTERM, then SIGKILL for those still running after ``STOP_TIMEOUT_SECONDS``."""
        running = [(node, node.process) for node in self._nodes if node.process is not None]
        for _, process in running:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for node, process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            node.process = None

    def _running(self, index: int) -> subprocess.Popen[bytes]:
        process = self._nodes[index].process
        if process is None:
            raise KafkaUnavailableError(f"broker {index} is not running")
        return process

    def _format(self) -> None:
        """Write each broker's settings and, the first time, format its storage."""
        formatting = []
        for index, node in enumerate(self._nodes):
            node.folder.mkdir(parents=True, exist_ok=True)
            node.settings.write_text(self._settings(index))
            if not (node.folder / "data" / "meta.properties").exists():
                command = self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(node.settings))
                formatting.append(
                    subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                )
        for process in formatting:
            output, _ = process.communicate()
            if process.returncode != 0:
                raise KafkaUnavailableError(f"KRaft storage could not be formatted: {output.strip().splitlines()[-1]}")

    def _launch(self, index: int) -> None:
        node = self._nodes[index]
        node.log.write_bytes(b"")
        setpriv = shutil.which("setpriv")
        command = self._java("kafka.Kafka", str(node.settings))
        with node.log.open("ab") as log:
            node.process = subprocess.Popen(
                [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(self, nodes: Sequence[_Node]) -> None:
        """Return when every broker has joined the cluster and accepts requests, as its log says."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        waiting = list(nodes)
        while waiting:
            for node in waiting:
                if node.process is not None and node.process.poll() is not None:
                    last = node.log.read_text(errors="replace").strip().splitlines()[-1:]
                    raise KafkaUnavailableError(f"a Kafka broker ended while starting: {last} (see {node.log})")
            waiting = [node for node in waiting if READY not in node.log.read_bytes()]
            if waiting and time.monotonic() > deadline:
                raise KafkaUnavailableError(
                    f"Kafka was not ready within {START_TIMEOUT_SECONDS:.0f} s; see {waiting[0].log}"
                )
            time.sleep(POLL_SECONDS)

    def _java(self, *arguments: str) -> list[str]:
        # Three brokers on one machine run for minutes only: the optimising compiler would cost more than it saves.
        compiler = ["-XX:TieredStopAtLevel=1"] if len(self) > 1 else []
        # fmt: off
        return [
            java(), f"-Xmx{self._heap_mib}m", *compiler,
            "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Xshare:auto",
            "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-cp", f"{jars()}/*", *arguments,
        ]
        # fmt: on

    def _settings(self, index: int) -> str:
        """Return the server.properties of broker ``index``."""
        node, count = self._nodes[index], len(self)
        listeners = f"PLAINTEXT://{HOST}:{node.port}"
        if self._logins:
            listeners += f",SASL_PLAINTEXT://{HOST}:{node.login_port}"
        users = " ".join(f'user_{user}="{password}"' for user, password in self._logins.items())
        settings = {
            "process.roles": "broker,controller",
            "node.id": index + 1,
            "controller.quorum.voters": ",".join(
                f"{number + 1}@{HOST}:{other.controller_port}" for number, other in enumerate(self._nodes)
            ),
            "listeners": f"{listeners},CONTROLLER://{HOST}:{node.controller_port}",
            "advertised.listeners": listeners,
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
            ),
            "log.dirs": node.folder / "data",
            "default.replication.factor": count,
            "offsets.topic.replication.factor": count,
            "transaction.state.log.replication.factor": count,
            "share.coordinator.state.topic.replication.factor": count,
            "min.insync.replicas": min(2, count),
            "transaction.state.log.min.isr": min(2, count),
            "share.coordinator.state.topic.min.isr": min(2, count),
            # A misspelt topic must fail, as on a production cluster.
            "auto.create.topics.enable": "false",
            # These let a small cluster start and notice changes fast. Do not copy them to production.
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "broker.heartbeat.interval.ms": 1000,
            "broker.session.timeout.ms": 6000,
            "log.cleaner.dedupe.buffer.size": 8 << 20,
            "log.cleaner.backoff.ms": 500,
            "log.initial.task.delay.ms": 1000,
            "log.retention.check.interval.ms": 1000,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def _free_ports(wanted: Sequence[int | None]) -> list[int]:
    """Return ``wanted`` with each None replaced by a free port.

    Raises:
        KafkaUnavailableError: another process listens on a requested port.
    """
    with contextlib.ExitStack() as probes:
        ports = []
        for port in wanted:
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port or 0))
            except OSError as error:
                raise KafkaUnavailableError(
                    f"{HOST}:{port} is taken ({error.strerror}); stop the process that listens there, or set --port"
                ) from None
            ports.append(int(probe.getsockname()[1]))
        return ports


def main() -> int:
    """Run a cluster in the foreground until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run Apache Kafka on loopback until Ctrl-C.")
    parser.add_argument("--port", type=int, default=9092, help="port of the first broker (default: 9092)")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="number of brokers (default: 1)")
    parser.add_argument("--data", type=Path, help="folder for data and logs (default: .local/kafka/data-BROKERS)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data = options.data or LOCAL / f"data-{options.brokers}"
    try:
        print(f"Starting Apache Kafka; data and logs are in {os.path.relpath(data)}", flush=True)
        with Cluster(data, brokers=options.brokers, port=options.port) as cluster:
            print("Ready. Press Ctrl-C to stop it. To run Hubbub on it, in another terminal:\n")
            print(f"    export HUBBUB_KAFKA__BOOTSTRAP_SERVERS={cluster.bootstrap_servers}")
            if len(cluster) > 1:
                print(f"    export HUBBUB_KAFKA__REPLICATION={len(cluster)}")
            print("    .venv/bin/hubbub up\n", flush=True)
            if (folder := tools()) is not None:
                print(f"For Kafka's tools, kafka-topics.sh and others:\n\n    export PATH={folder}:$PATH\n", flush=True)
            signal.pause()
    except KafkaUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
