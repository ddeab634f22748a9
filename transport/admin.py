"""Administration: is a broker there, which topics has it, and creating topics.

Owns the requests and their retries. Must never know which topics there should be, nor change one that exists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaClient
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from transport.errors import UserError
from transport.kafka import BrokerAwayError, BrokerTimeoutError, KafkaError
from transport.topics import Topic

Answer = TypeVar("Answer")

REQUEST_TIMEOUT_MS = 10_000
TRIES = 5
RETRY_SECONDS = 1.0
VISIBLE_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.1


class TopicRefusedError(UserError):
    """The broker refuses to create a topic. The message gives its reason."""


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the broker describes it: the brokers that hold each partition, and its settings."""

    replicas: tuple[tuple[int, ...], ...]
    settings: Mapping[str, str]


async def broker_answers(kafka: Mapping[str, object], *, timeout_seconds: float = 3.0) -> bool:
    """Say whether a broker answers a metadata request; an open port alone promises nothing."""
    client = AIOKafkaClient(**kafka, request_timeout_ms=int(timeout_seconds * 1000))
    try:
        await client.bootstrap()
    except BrokerAwayError:
        return False
    finally:
        await client.close()
    return True


async def create_topics(
    kafka: Mapping[str, object], topics: Mapping[str, Topic], partitions: int, replication: int
) -> set[str]:
    """Create those of ``topics`` that are missing, return when every broker knows all of them, and name the new ones.

    ``topics``: by their names on the broker. ``partitions``: of those that leave the number to the deployment.
    ``replication``: copies of each record.

    Raises:
        TopicRefusedError: the broker refuses a topic, or does not show it.
        KafkaError: no broker answers.
    """
    existing = set(await _ask(kafka, lambda admin: admin.list_topics()))
    missing = {
        name: NewTopic(name, topic.partitions or partitions, replication, topic_configs=topic.config(replication))
        for name, topic in topics.items()
        if name not in existing
    }
    if missing:
        response = await _ask(kafka, lambda admin: admin.create_topics(list(missing.values())))
        for name, code, message in response.topic_errors:
            if code == TopicAlreadyExistsError.errno:  # another process was faster
                missing.pop(name)
            elif code:
                raise TopicRefusedError(f"the broker refuses topic {name}: {message or for_code(code).description}")
        await _ask(kafka, lambda admin: _until_visible(admin, set(topics)))
    return set(missing)


async def describe_topics(
    kafka: Mapping[str, object], names: Sequence[str]
) -> tuple[dict[str, TopicDescription], list[int]]:
    """Return those of ``names`` that exist, as they are, and the ids of all brokers.

    Raises:
        KafkaError: no broker answers.
    """
    return await _ask(kafka, lambda admin: _describe(admin, names))


async def _ask(kafka: Mapping[str, object], question: Callable[[AIOKafkaAdminClient], Awaitable[Answer]]) -> Answer:
    """Return the answer to ``question``; ask again if the broker that was asked has just come or gone.

    Raises:
        KafkaError: no broker answers, or the last try failed as well.
    """
    for tries_left in reversed(range(TRIES)):
        admin = AIOKafkaAdminClient(**kafka, request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            return await question(admin)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, BrokerAwayError) or not (tries_left and getattr(error, "retriable", True)):
                raise error if isinstance(error, KafkaError) else BrokerTimeoutError("the broker is silent") from error
        finally:
            await admin.close()
        await asyncio.sleep(RETRY_SECONDS)
    raise AssertionError("the last try returns or raises")


async def _until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return when the brokers know ``names``; the controller knows a topic a little sooner than they do."""
    try:
        async with asyncio.timeout(VISIBLE_TIMEOUT_SECONDS):
            while not names <= set(await admin.list_topics()):  # noqa: ASYNC110 (brokers send no such event)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise TopicRefusedError(
            f"the topics are created, but the broker does not show them after {VISIBLE_TIMEOUT_SECONDS:.0f} s; "
            "see the broker's log, then run: hubbub topics check"
        ) from None


async def _describe(admin: AIOKafkaAdminClient, names: Sequence[str]) -> tuple[dict[str, TopicDescription], list[int]]:
    # All topics are asked for, since asking for one by name can create it.
    described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    existing = [name for name in names if name in described]
    # All settings are asked for, since the embedded broker hangs up when it is asked for one by name.
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in existing])
    settings: dict[str, dict[str, str]] = {}
    for response in responses:
        for error, _, _, name, entries in response.resources:
            settings[name] = {} if error else {entry[0]: entry[1] for entry in entries}
    brokers = [broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]]
    return {
        name: TopicDescription(
            replicas=tuple(
                tuple(partition["replicas"])
                for partition in sorted(described[name], key=lambda partition: int(partition["partition"]))
            ),
            settings=settings.get(name, {}),
        )
        for name in existing
    }, sorted(brokers)
