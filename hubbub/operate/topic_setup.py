"""Making the topics and verifying them, on whatever broker is there.

Owns the comparison of :data:`transport.topics.TOPICS` with a broker's topics, and the words for what differs. Never
changes or deletes a topic that exists: the records are the operator's, so a difference is told with its remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from transport.admin import TopicRefusedError, TopicToCreate, create_topics, describe_topics
from transport.topics import TOPICS, Topic, name

__all__ = ["Created", "Problem", "check", "create"]

AT_LEAST: Final = frozenset({"retention.ms", "max.message.bytes", "min.insync.replicas"})
"""More of these does no harm. The other settings only tune the compaction, and are the operator's to choose."""


@dataclass(frozen=True, slots=True)
class Created:
    """What :func:`create` found and did: names of topics, in the order of ``TOPICS``."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One topic that is not as it must be: what is wrong, and the command or setting that mends it.

    ``unverified``: the broker does not tell (the embedded one keeps no such setting), so nothing need be wrong.
    """

    topic: str
    what: str
    fix: str
    unverified: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.what}; {self.fix}"


async def create(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> Created:
    """Make the topics that are missing and return when every broker knows them. Those that exist are left as they are.

    ``kafka``: connection options of aiokafka. ``prefix``: what the names start with. ``partitions``: of the topics that
    scale. ``replication``: copies of each record.

    Raises:
        TopicRefusedError: the broker refuses a topic.
        KafkaError: no broker answers.
    """
    names = [name(topic.name, prefix) for topic in TOPICS]
    wanted = [
        TopicToCreate(topic_name, topic.partitions or partitions, replication, topic.config(replication))
        for topic_name, topic in zip(names, TOPICS, strict=True)
    ]
    try:
        created = await create_topics(kafka, wanted)
    except TopicRefusedError as error:
        if replication == 1:
            raise
        raise TopicRefusedError(f"{error} (HUBBUB_KAFKA__REPLICATION is {replication})") from None
    return Created(
        created=tuple(topic_name for topic_name in names if topic_name in created),
        existing=tuple(topic_name for topic_name in names if topic_name not in created),
    )


async def check(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> list[Problem]:
    """Compare the topics with what they must be and return every difference; the arguments are those of ``create``.

    Raises:
        KafkaError: no broker answers.
    """
    names = {name(topic.name, prefix): topic for topic in TOPICS}
    found, brokers = await describe_topics(kafka, list(names))
    servers = str(kafka["bootstrap_servers"])
    problems: list[Problem] = []
    for topic_name, topic in names.items():
        here = found.get(topic_name)
        if here is None:
            problems.append(Problem(topic_name, "it does not exist", "run: hubbub topics create"))
            continue
        problems += _compare_partitions(topic_name, topic, len(here.replicas), partitions, servers)
        problems += _compare_replicas(topic_name, here.replicas, replication, brokers, servers)
        problems += _compare_settings(topic_name, topic.config(replication), here.settings, servers)
    return problems


def _compare_partitions(topic_name: str, topic: Topic, have: int, partitions: int, servers: str) -> list[Problem]:
    want = topic.partitions or partitions
    if have == want:
        return []
    # Never by adding partitions: keys would move to others, away from the state that belongs to them.
    anew = (
        f"stop all roles and make it anew (its records are lost): kafka-topics.sh --bootstrap-server {servers} "
        f"--delete --topic {topic_name} && hubbub topics create"
    )
    fix = anew if topic.partitions else f"set HUBBUB_KAFKA__PARTITIONS={have} if that is meant, or {anew}"
    return [Problem(topic_name, f"it has {have} partitions and needs {want}", fix)]


def _compare_replicas(
    topic_name: str, replicas: Sequence[Sequence[int]], replication: int, brokers: Sequence[int], servers: str
) -> list[Problem]:
    fewest = min((len(set(here)) for here in replicas), default=0)  # the embedded broker names itself three times
    if fewest >= replication:
        return []
    what = f"it has {fewest} copies of a record and needs {replication}"
    if len(brokers) < replication:
        fix = f"the cluster has {len(brokers)} broker(s): add more, or set HUBBUB_KAFKA__REPLICATION={fewest}"
        return [Problem(topic_name, what, fix)]
    plan = {
        "version": 1,
        "partitions": [
            {
                "topic": topic_name,
                "partition": partition,
                "replicas": [*here, *(other for other in brokers if other not in here)][:replication],
            }
            for partition, here in enumerate(replicas)
        ],
    }
    fix = (
        f"run: echo '{json.dumps(plan)}' > more-replicas.json && kafka-reassign-partitions.sh "
        f"--bootstrap-server {servers} --reassignment-json-file more-replicas.json --execute"
    )
    return [Problem(topic_name, what, fix)]


def _compare_settings(
    topic_name: str, wanted: Mapping[str, str], found: Mapping[str, str], servers: str
) -> list[Problem]:
    problems = []
    for setting in ("cleanup.policy", *sorted(AT_LEAST)):
        want, have = wanted.get(setting), found.get(setting)
        if want is None or have == want:
            continue
        if have is None:
            what = f"{setting} cannot be verified on this broker"
            problems.append(Problem(topic_name, what, f"it should be {want}", unverified=True))
        elif setting not in AT_LEAST or 0 <= int(have) < int(want):  # -1 is without limit
            change = f"kafka-configs.sh --bootstrap-server {servers} --alter --topic {topic_name}"
            fix = f"run: {change} --add-config {setting}={want}"
            problems.append(Problem(topic_name, f"{setting} is {have} and must be {want}", fix))
    return problems
