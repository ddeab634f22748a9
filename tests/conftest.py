"""Fixtures for all tests: the recordings beside the project, and brokers of both kinds on loopback.

A test that needs a broker uses ``broker`` and runs twice: on the embedded broker and on Apache Kafka. Tests that this
machine cannot run are skipped with a reason. The end of the run counts the reasons.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from deploy.kafka.cluster import Cluster, KafkaUnavailableError
from hubbub.process.embedded_broker import BrokerError, EmbeddedBroker

# On a busy machine a test may be slow.
settings.register_profile("hubbub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hubbub")

# In a test, a broker spends more on optimizing its code than that saves.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker for tests. They share it, so every topic and group of a test starts with its ``topic_prefix``."""

    kind: str
    bootstrap_servers: str
    topic_prefix: str


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of public recordings, which is beside the project and never copied into it."""
    if not SHARED.is_dir():
        pytest.skip("needs the recordings of ../shared/data")
    return SHARED.resolve()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded_broker() -> AsyncIterator[EmbeddedBroker]:
    """Run the embedded broker for the whole session."""
    try:
        async with EmbeddedBroker() as broker:
            yield broker
    except BrokerError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Return each kind of broker in turn, with a prefix that no other test uses."""
    running = request.getfixturevalue("embedded_broker" if request.param == "embedded" else "jvm_kafka")
    return Broker(request.param, running.bootstrap_servers, f"t{uuid.uuid4().hex[:10]}-")


@pytest.fixture(scope="session")
def jvm_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run Apache Kafka, one broker in one JVM, for the whole session. On its port for logins alice may log in."""
    try:
        with Cluster(tmp_path_factory.mktemp("kafka"), logins={"alice": "right-password"}) as cluster:
            yield cluster
    except KafkaUnavailableError as error:
        pytest.skip(str(error))


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use a broker, so that the fast suite leaves them out.

    Files with slow tests come first, so that at the end no process waits for another. Their coverage is not measured:
    that would double their time, and the other tests must reach the floors without them.
    """
    for item in items:
        if {"broker", "embedded_broker", "jvm_kafka"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.broker)
        if item.get_closest_marker("slow") is not None:
            item.add_marker(pytest.mark.no_cover)
    slow_files = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow_files)


_deselected = 0


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the tests that -m and -k leave out."""
    global _deselected  # noqa: PLW0603 (pytest has no other place for a hook to store it)
    _deselected += len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker process: report how many tests were left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["deselected"] = _deselected


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Read the number of a worker process that has ended. All workers leave out the same tests."""
    global _deselected  # noqa: PLW0603 (see above)
    _deselected = max(_deselected, getattr(node, "workeroutput", {}).get("deselected", 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print at the end of a run which tests were left out, counted by reason."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reasons[report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else "?"] += 1
    if _deselected:
        reasons["not selected by -m or -k"] = _deselected
    if reasons:
        terminalreporter.section("left out, and why")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count:5}  {reason}")
