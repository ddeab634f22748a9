"""``topics create`` and ``topics check`` on a running broker: the check finds no fault in what was created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hubbub.operate import topic_setup
from tests.eventually import eventually
from tests.visible_topics import create_topics
from transport.admin import TopicRefusedError
from transport.topics import TOPICS

if TYPE_CHECKING:
    from tests.conftest import Broker


def _wrong(problems: list[topic_setup.Problem]) -> dict[str, topic_setup.Problem]:
    return {problem.topic: problem for problem in problems if not problem.unverified}


async def _admin(broker: Broker) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    return admin


async def _create(broker: Broker, topic: NewTopic) -> None:
    """Create ``topic`` as another program would."""
    admin = await _admin(broker)
    await create_topics(admin, [topic])
    await admin.close()


async def test_created_topics_pass_the_check_and_creating_again_changes_nothing(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    names = tuple(broker.topic_prefix + topic.name for topic in TOPICS)

    first = await topic_setup.create(kafka, broker.topic_prefix, 3, 1)
    assert first == topic_setup.Created(created=names, existing=())
    assert await topic_setup.check(kafka, broker.topic_prefix, 3, 1) == []

    assert await topic_setup.create(kafka, broker.topic_prefix, 3, 1) == topic_setup.Created(created=(), existing=names)


async def test_missing_topics_are_reported_and_the_check_does_not_create_them(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    for _ in range(2):
        problems = await topic_setup.check(kafka, broker.topic_prefix, 3, 1)
        assert [problem.topic for problem in problems] == [broker.topic_prefix + topic.name for topic in TOPICS]
        assert {problem.what for problem in problems} == {"it does not exist"}
        assert {problem.fix for problem in problems} == {"run: hubbub topics create"}


async def test_a_lost_memory_leads_to_a_rebuild_and_not_to_an_empty_topic(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await _create(broker, NewTopic(broker.topic_prefix + "signals", 3, 1))
    found = await topic_setup.check(kafka, broker.topic_prefix, 3, 1)
    missing = {one.topic.removeprefix(broker.topic_prefix): one.fix for one in found if one.what == "it does not exist"}
    rebuild = {topic for topic, fix in missing.items() if "rebuild (docs/how-to/rebuild-from-signals.md)" in fix}
    assert rebuild == {"stories", "hubbub-score-ledgers-changelog", "progress"}
    assert {fix for topic, fix in missing.items() if topic not in rebuild} == {"run: hubbub topics create"}


async def test_a_different_number_of_partitions_is_reported_with_both_fixes(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 3, 1)

    wrong = _wrong(await topic_setup.check(kafka, broker.topic_prefix, 5, 1))

    assert set(wrong) == {broker.topic_prefix + topic.name for topic in TOPICS if topic.partitions is None}
    problem = wrong[broker.topic_prefix + "signals"]
    assert problem.what == "it has 3 partitions and needs 5"
    assert "HUBBUB_KAFKA__PARTITIONS=3" in problem.fix
    assert f"--delete --topic {broker.topic_prefix}signals" in problem.fix


async def test_a_number_of_partitions_that_another_topic_lacks_is_not_advised(broker: Broker) -> None:
    """Else the doctor would send the operator from one number to the other and back."""
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    signals = broker.topic_prefix + "signals"
    await _create(broker, NewTopic(signals, 2, 1))
    await topic_setup.create(kafka, broker.topic_prefix, 3, 1)
    for setting in (2, 3):
        wrong = _wrong(await topic_setup.check(kafka, broker.topic_prefix, setting, 1))
        assert [problem.topic for problem in wrong.values() if "PARTITIONS" in problem.fix] == []
    assert f"--delete --topic {signals}" in wrong[signals].fix


async def test_a_topic_that_exists_is_not_changed_and_its_wrong_policy_is_reported(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    reports = broker.topic_prefix + "collector-reports"
    await _create(broker, NewTopic(reports, 1, 1, topic_configs={"cleanup.policy": "delete"}))

    created = await topic_setup.create(kafka, broker.topic_prefix, 3, 1)
    wrong = _wrong(await topic_setup.check(kafka, broker.topic_prefix, 3, 1))

    assert created.existing == (reports,)
    assert wrong[reports].what == "cleanup.policy is delete and must be compact"
    assert f"--topic {reports} --add-config cleanup.policy=compact" in wrong[reports].fix


async def test_too_few_replicas_are_reported_with_what_the_cluster_can_do(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 3, 1)
    found = await topic_setup.check(kafka, broker.topic_prefix, 3, 3)
    copies = [problem for problem in found if "copies" in problem.what]
    assert len(copies) == len(TOPICS)
    assert copies[0].what == "it has 1 copies of a record and needs 3"
    assert copies[0].fix == "the cluster has 1 broker(s): add more, or set HUBBUB_KAFKA__REPLICATION=1"


async def test_settings_that_a_broker_does_not_show_are_unverified_and_not_wrong(broker: Broker) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    signals = broker.topic_prefix + "signals"
    await _create(broker, NewTopic(signals, 3, 1))
    await topic_setup.create(kafka, broker.topic_prefix, 3, 1)

    found = [
        problem for problem in await topic_setup.check(kafka, broker.topic_prefix, 3, 1) if problem.topic == signals
    ]

    if broker.kind == "embedded":  # it returns what was set at the creation, without defaults
        assert {problem.unverified for problem in found} == {True}
        assert "retention.ms cannot be checked on this broker" in {problem.what for problem in found}
    else:  # Kafka's defaults are ours here: 7 days, 1 MiB, deleted by time
        assert found == []


@pytest.mark.parametrize(("retention_ms", "wrong"), [("1000", True), ("-1", False), ("999999999999", False)])
async def test_shorter_retention_is_wrong_and_longer_is_not(broker: Broker, retention_ms: str, wrong: bool) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    signals = broker.topic_prefix + "signals"
    await _create(broker, NewTopic(signals, 3, 1, topic_configs={"retention.ms": retention_ms}))
    await topic_setup.create(kafka, broker.topic_prefix, 3, 1)
    assert (signals in _wrong(await topic_setup.check(kafka, broker.topic_prefix, 3, 1))) is wrong


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)  # the embedded broker refuses nothing
async def test_a_topic_that_the_broker_refuses_is_one_clear_line(broker: Broker) -> None:
    with pytest.raises(TopicRefusedError, match=r"HUBBUB_KAFKA__REPLICATION is 3") as refused:
        await topic_setup.create({"bootstrap_servers": broker.bootstrap_servers}, broker.topic_prefix, 3, 3)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)  # the embedded broker cannot alter a topic
async def test_the_suggested_fix_solves_the_problem(broker: Broker) -> None:
    """The test applies the fix through the admin protocol, as kafka-configs.sh would."""
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    scores = broker.topic_prefix + "noise-scores"
    admin = await _admin(broker)
    await create_topics(admin, [NewTopic(scores, 3, 1)])
    await admin.create_partitions({scores: NewPartitions(4)})
    await topic_setup.create(kafka, broker.topic_prefix, 4, 1)
    problem = _wrong(await topic_setup.check(kafka, broker.topic_prefix, 4, 1))[scores]
    setting, _, value = problem.fix.rpartition("--add-config ")[2].partition("=")
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, scores, configs={setting: value})])
    await admin.close()

    async def solved() -> bool:  # the brokers learn of it a little later
        return not await topic_setup.check(kafka, broker.topic_prefix, 4, 1)

    await eventually(solved)
