"""Administration: does a broker answer, and if not why; which topics has it; creating topics.

Owns the requests and their retries. Must never know which topics there should be, nor change one that exists.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

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


class BrokerProblem(NamedTuple):
    """Why no broker serves us. ``message``: what is wrong and what to do. ``listens``: a broker is there."""

    message: str
    listens: bool


_REFUSALS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...]] = (
    (
        SaslAuthenticationFailed,
        "refuses the user name or the password",
        "SASL_USERNAME and HUBBUB_KAFKA__SASL_PASSWORD",
    ),
    (UnsupportedSaslMechanismError, "does not offer this way to log in", "SASL_MECHANISM"),
    (IllegalSaslStateError, "expects no login", "SECURITY_PROTOCOL"),
    (ssl.SSLCertVerificationError, "has a certificate that is not trusted", "CA_FILE"),
    (socket.gaierror, "has a name that cannot be resolved", "BOOTSTRAP_SERVERS"),
    ((BrokerAwayError, ConnectionResetError, ssl.SSLError), "hangs up, as on a wrong protocol", "SECURITY_PROTOCOL"),
)
"""What a broker does that refuses us, by the error, and the setting to correct."""


async def broker_problem(kafka: Mapping[str, object], *, timeout_seconds: float = 3.0) -> BrokerProblem | None:
    """Return why no broker answers a metadata request; None if one does. An open port alone promises nothing.

    The client logs the cause and drops it, so each server is asked here without the client.
    """
    login = dict(kafka)
    servers, refusal = str(login.pop("bootstrap_servers")), None
    for host, port, _ in collect_hosts(servers):
        try:
            connection = await create_conn(host, port, request_timeout_ms=int(timeout_seconds * 1000), **login)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        except (KafkaError, OSError, TimeoutError) as error:
            for kind, does, setting in _REFUSALS:
                if isinstance(error, kind):
                    refusal = f"the broker at {host}:{port} {does}; correct HUBBUB_KAFKA__{setting}"
                    break
        else:
            return None
    if refusal is not None:
        return BrokerProblem(refusal, listens=True)
    start = "start it ('hubbub up' has one for this machine), or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS"
    return BrokerProblem(f"no broker answers at {servers}; {start}", listens=False)


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
        await _ask(kafka, lambda admin: until_visible(admin, set(topics)))
    return set(missing)


async def describe_topics(
    kafka: Mapping[str, object], names: Sequence[str]
) -> tuple[dict[str, TopicDescription], list[int]]:
    """Return those of ``names`` that exist, as they are, and the ids of all brokers.

    Raises:
        KafkaError: no broker answers.
    """
    return await _ask(kafka, lambda admin: _describe(admin, names))


async def until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return when the brokers know ``names``; the controller knows a topic a little sooner than they do.

    Raises:
        TopicRefusedError: they do not show all of them in time.
    """
    try:
        async with asyncio.timeout(VISIBLE_TIMEOUT_SECONDS):
            while not names <= set(await admin.list_topics()):  # noqa: ASYNC110 (brokers send no such event)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise TopicRefusedError(
            f"the topics are created, but the broker does not show them after {VISIBLE_TIMEOUT_SECONDS:.0f} s; "
            "see the broker's log, then run: hubbub topics check"
        ) from None


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
