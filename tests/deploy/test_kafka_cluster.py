"""The cluster of deploy/kafka: brokers that crash, freeze and return keep every acknowledged record."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.cluster import TOOLS, Cluster, KafkaUnavailableError, tools
from hubbub.operate import topic_setup
from tests.eventually import eventually
from tests.processes import has_ended, until_ended
from tests.visible_topics import create_topics
from transport.topics import TOPICS

ROOT = Path(__file__).parents[2]
OWNER = """
import pathlib, sys, time
from deploy.kafka.cluster import Cluster

with Cluster(pathlib.Path(sys.argv[1])) as cluster:
    print(cluster.pid(), flush=True)
    time.sleep(60)
"""

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Run three brokers."""
    try:
        cluster = Cluster(tmp_path_factory.mktemp("three"), brokers=3)
        await asyncio.to_thread(cluster.__enter__)
    except KafkaUnavailableError as error:
        pytest.skip(str(error))
    yield cluster
    await asyncio.to_thread(cluster.stop)


async def test_topics_with_three_replicas_pass_and_those_with_one_are_reported_with_a_plan(three: Cluster) -> None:
    kafka = {"bootstrap_servers": three.bootstrap_servers}
    await topic_setup.create(kafka, "three-", 2, 3)
    # Each of the three brokers learns of new topics in its own time.
    await eventually(lambda: topic_setup.check(kafka, "three-", 2, 3), 30, until=lambda problems: problems == [])

    await topic_setup.create(kafka, "one-", 2, 1)

    async def with_few_copies() -> dict[str, topic_setup.Problem]:
        problems = await topic_setup.check(kafka, "one-", 2, 3)
        return {problem.topic: problem for problem in problems if "copies" in problem.what}

    found = await eventually(with_few_copies, 30, until=lambda found: len(found) == len(TOPICS))
    assert set(found) == {f"one-{topic.name}" for topic in TOPICS}
    fix = found["one-signals"].fix
    plan = json.loads(fix[fix.index("'") + 1 : fix.rindex("'")])
    assert [sorted(partition["replicas"]) for partition in plan["partitions"]] == [[1, 2, 3], [1, 2, 3]]
    assert "kafka-reassign-partitions.sh" in fix


async def test_acknowledged_records_survive_crash_and_freeze(three: Cluster) -> None:
    kafka = {"bootstrap_servers": three.bootstrap_servers}
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    await create_topics(admin, [NewTopic("t", 1, 3)])
    await admin.close()
    async with AIOKafkaProducer(**kafka, request_timeout_ms=5000, enable_idempotence=True) as producer:
        await producer.send_and_wait("t", b"0")
        three.kill(0)
        await producer.send_and_wait("t", b"1")
        await asyncio.to_thread(three.restart, 0)
        three.pause(1)
        await producer.send_and_wait("t", b"2")
        three.resume(1)
        await producer.send_and_wait("t", b"3")
    async with AIOKafkaConsumer(**kafka) as consumer:
        place = TopicPartition("t", 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        read = [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(4)]
    assert read == [b"0", b"1", b"2", b"3"]


def test_the_tools_that_the_documentation_uses_are_there(jvm_kafka: Cluster) -> None:
    del jvm_kafka  # requested only because it skips the test where Kafka cannot run
    texts = [file.read_text() for file in (ROOT / "docs").rglob("*.md")] + [Path(topic_setup.__file__).read_text()]
    assert {name for text in texts for name in re.findall(r"kafka-[a-z-]+\.sh", text)} == set(TOOLS)
    if (folder := tools()) is None:
        pytest.skip("Maven cannot get Kafka's tools")
    run = subprocess.run([folder / "kafka-topics.sh", "--version"], capture_output=True, text=True, check=True)
    assert re.match(r"\d+\.\d+", run.stdout)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv of util-linux ties the JVM to its parent")
async def test_no_broker_outlives_an_owner_that_is_killed(tmp_path: Path, jvm_kafka: Cluster) -> None:
    del jvm_kafka  # requested only because it skips the test where Kafka cannot run
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    assert not has_ended(pid)
    owner.kill()
    await owner.wait()
    await until_ended(pid)
