"""Making the topics and verifying them, on whatever broker is there.

Owns the comparison of :data:`transport.topics.TOPICS` with a broker's topics, and the words for what differs. Never
changes or deletes a topic that exists: the records are the operator's, so a difference is told with its remedy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code

from transport.errors import UserError
from transport.topics import TOPICS, Topic, name

__all__ = ["Created", "Problem", "TopicsError", "check", "create"]

Answer = TypeVar("Answer")

REQUEST_TIMEOUT_MS: Final = 10_000
TRIES: Final = 5
RETRY_SECONDS: Final = 1.0
VISIBLE_TIMEOUT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1

AT_LEAST: Final = frozenset({"retention.ms", "max.message.bytes", "min.insync.replicas"})
"""More of these does no harm. The other settings only tune the compaction, and are the operator's to choose."""


class TopicsError(UserError):
    """The broker refuses to make a topic. The message says which, why, and what to do."""


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


@dataclass(frozen=True, slots=True)
class _Found:
    """A topic as the broker describes it: the brokers that hold each partition, and its settings."""

    replicas: tuple[tuple[int, ...], ...]
    settings: Mapping[str, str]


async def create(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> Created:
    """Make the topics that are missing and return when every broker knows them. Those that exist are left as they are.

    ``kafka``: connection options of aiokafka. ``prefix``: what the names start with. ``partitions``: of the topics that
    scale. ``replication``: copies of each record.

    Raises:
        TopicsError: the broker refuses a topic.
        aiokafka.errors.KafkaError: no broker answers.
    """
    names = [name(topic.name, prefix) for topic in TOPICS]
    known = set(await _ask(kafka, lambda admin: admin.list_topics()))
    missing = [
        NewTopic(topic_name, topic.partitions or partitions, replication, topic_configs=topic.config(replication))
        for topic_name, topic in zip(names, TOPICS, strict=True)
        if topic_name not in known
    ]
    if missing:
        response = await _ask(kafka, lambda admin: admin.create_topics(missing))
        for topic_name, code, message in response.topic_errors:
            if code == TopicAlreadyExistsError.errno:  # somebody else was faster
                known.add(topic_name)
            elif code:
                raise TopicsError(_refused(topic_name, code, message, replication))
        await _ask(kafka, lambda admin: _until_visible(admin, set(names)))
    return Created(
        created=tuple(topic_name for topic_name in names if topic_name not in known),
        existing=tuple(topic_name for topic_name in names if topic_name in known),
    )


async def check(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> list[Problem]:
    """Compare the topics with what they must be and return every difference; the arguments are those of ``create``.

    Raises:
        aiokafka.errors.KafkaError: no broker answers.
    """
    names = {name(topic.name, prefix): topic for topic in TOPICS}
    found, brokers = await _ask(kafka, lambda admin: _describe(admin, list(names)))
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


async def _ask(kafka: Mapping[str, object], question: Callable[[AIOKafkaAdminClient], Awaitable[Answer]]) -> Answer:
    """Return the answer to ``question``, asked anew where a broker that has just come or gone was asked.

    Raises:
        aiokafka.errors.KafkaError: no broker answers, or the last try failed as well.
    """
    for tries_left in reversed(range(TRIES)):
        admin = AIOKafkaAdminClient(**kafka, request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            return await question(admin)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, KafkaConnectionError) or not (tries_left and getattr(error, "retriable", True)):
                raise error if isinstance(error, KafkaError) else KafkaTimeoutError("the broker is silent") from error
        finally:
            await admin.close()
        await asyncio.sleep(RETRY_SECONDS)
    raise AssertionError("the last try returns or raises")


async def _until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return when the brokers know of ``names``; the controller knows of a topic a little sooner than they do."""
    try:
        async with asyncio.timeout(VISIBLE_TIMEOUT_SECONDS):
            while True:
                if names <= set(await admin.list_topics()):
                    return
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise TopicsError(
            f"the topics are made, but the broker does not show them after {VISIBLE_TIMEOUT_SECONDS:.0f} s; "
            "see the broker's log, then run: hubbub topics check"
        ) from None


async def _describe(admin: AIOKafkaAdminClient, names: Sequence[str]) -> tuple[dict[str, _Found], list[int]]:
    """Return those of ``names`` that exist, as they are, and the ids of all brokers."""
    # All topics are asked for, since asking for one by name can bring it into being.
    described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    existing = [topic_name for topic_name in names if topic_name in described]
    # All settings are asked for, since the embedded broker hangs up when it is asked for one by name.
    responses = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic_name) for topic_name in existing]
    )
    settings: dict[str, dict[str, str]] = {}
    for response in responses:
        for error, _, _, topic_name, entries in response.resources:
            settings[topic_name] = {} if error else {entry[0]: entry[1] for entry in entries}
    brokers = [broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]]
    return {
        topic_name: _Found(
            replicas=tuple(
                tuple(partition["replicas"])
                for partition in sorted(described[topic_name], key=lambda partition: int(partition["partition"]))
            ),
            settings=settings.get(topic_name, {}),
        )
        for topic_name in existing
    }, sorted(brokers)


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


def _refused(topic_name: str, code: int, message: str | None, replication: int) -> str:
    why = message or for_code(code).description
    if replication > 1:
        return f"the broker refuses topic {topic_name}: {why} (HUBBUB_KAFKA__REPLICATION is {replication})"
    return f"the broker refuses topic {topic_name}: {why}"
