"""Everything that depends on the private parts of aiokafka 0.14, and the check that this is the version installed.

Owns each such use, with its reason; tests/transport/test_private.py fails when the library changes under it. Must never
be imported by another package, nor hold anything that the public interface of aiokafka can do.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Container, Sequence
from importlib.metadata import version
from io import BytesIO
from typing import NamedTuple

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

__all__ = [
    "NO_ID",
    "Described",
    "abandon",
    "check_before_producing",
    "check_version",
    "client_of",
    "describe",
    "disconnect",
    "observe_membership",
]

SUPPORTED = "0.14."
NO_ID = ""
"""The id of a topic whose broker gives topics no id (before Kafka 2.8)."""


def check_version(installed: str) -> None:
    """Make sure that the aiokafka ``installed`` is one that this module knows.

    Raises:
        ImportError: it is not.
    """
    if not installed.startswith(SUPPORTED):
        raise ImportError(
            f"Hubbub relies on internals of aiokafka {SUPPORTED}x, but aiokafka {installed} is installed; "
            f"run: pip install 'aiokafka>=0.14,<0.15'"
        )


check_version(version("aiokafka"))


def client_of(consumer: AIOKafkaConsumer) -> AIOKafkaClient:
    """Return the client of ``consumer``. Reason: a producer shows its client, a consumer does not."""
    return consumer._client


async def disconnect(consumer: AIOKafkaConsumer) -> None:
    """Close the connections of ``consumer`` after its ``stop`` has failed.

    Reason: ``stop`` sets its closed flag first, so a second call does nothing, and no public method reaches the client.
    """
    await consumer._client.close()


async def abandon(producer: AIOKafkaProducer) -> None:
    """Stop ``producer`` at once: what the broker has not acknowledged is dropped and never sent again.

    Reason: ``stop`` sends everything that is still buffered, and aiokafka has no stop without that.
    """
    producer._closed = True
    if producer._sender is not None and (sending := producer._sender.sender_task) is not None:
        sending.cancel()
    await producer.client.close()


def observe_membership(
    consumer: AIOKafkaConsumer, renew: Callable[[float], None], monotonic: Callable[[], float]
) -> None:
    """Call ``renew`` whenever the group confirms that ``consumer``, which has been started, is one of its members.

    ``renew`` gets the time at which the confirmed request was sent. While the group rebalances, the answer to a
    heartbeat is an error, and ``renew`` is not called: members that do not join in time are dropped.

    Reason: aiokafka shows neither the answers to heartbeats nor the time of the last one.
    """
    coordinator = consumer._coordinator
    send = coordinator._send_req

    async def observed(request: object) -> Response:
        sent_at = monotonic()
        response = await send(request)
        if isinstance(request, HeartbeatRequest | SyncGroupRequest) and response.error_code == 0:
            renew(sent_at)
        return response

    coordinator._send_req = observed


def check_before_producing(
    producer: AIOKafkaProducer, check: Callable[[], None], topics: Container[str] | None
) -> None:
    """Call ``check`` right before ``producer``, which has been started, sends to any of ``topics`` (None: to any).

    What ``check`` raises makes the send fail.

    Reason: aiokafka has no interceptors, and a batch may wait long in the producer after ``send`` returns.
    """
    client = producer.client
    send = client.send

    async def checked(node_id: int, request: object, **options: object) -> Response:
        if isinstance(request, ProduceRequest) and (
            topics is None or any(topic in topics for topic, _ in request._topics)
        ):
            await client.ready(node_id)  # connecting may take long; sending does not
            check()
        return await send(node_id, request, **options)

    client.send = checked


class Described(NamedTuple):
    """A topic on its broker. ``id``: as Kafka's tools print it; :data:`NO_ID` if it has none."""

    id: str
    partitions: int


async def describe(client: AIOKafkaClient, topics: Collection[str]) -> dict[str, Described]:
    """Return those of ``topics`` that exist. Asking creates none.

    Reason: topic ids (KIP-516) come with version 10 of Metadata, and aiokafka 0.14 stops at 5.

    Raises:
        KafkaError: no broker answers.
    """
    node = client.get_random_node()
    try:
        response = await client.send(node, _DescribeRequest(topics))
    except NotImplementedError:  # the broker knows no version 11
        cluster = await client.fetch_all_metadata()
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        return {topic: Described(NO_ID, count) for topic, count in counts.items() if count}
    assert isinstance(response, _MetadataResponse)  # noqa: S101 (the type that the request names)
    return {name: Described(_printed(id_), len(parts)) for code, name, id_, _, parts, *_ in response.topics if not code}


def _printed(id_: bytes) -> str:
    return base64.urlsafe_b64encode(id_).decode().rstrip("=") if any(id_) else NO_ID


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_STRING, _TAGS = CompactString(), ("tags", TaggedFields)
_BROKER = CompactArray(("node_id", Int32), ("host", _STRING), ("port", Int32), ("rack", _STRING), _TAGS)
_PARTITION = CompactArray(
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline", CompactArray(Int32)),
    _TAGS,
)
_TOPIC = CompactArray(
    ("error_code", Int16),
    ("name", _STRING),
    ("id", _Uuid),
    ("internal", Boolean),
    ("partitions", _PARTITION),
    ("operations", Int32),
    _TAGS,
)


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 11
    SCHEMA = Schema(
        ("throttle_ms", Int32),
        ("brokers", _BROKER),
        ("cluster_id", _STRING),
        ("controller", Int32),
        ("topics", _TOPIC),
        _TAGS,
    )
    topics: Sequence[tuple[int, str, bytes, bool, Sequence[object], int, object]]


class _MetadataRequest(RequestStruct):
    API_KEY = 3
    API_VERSION = 11
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Uuid), ("name", _STRING), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _DescribeRequest(Request[_MetadataRequest]):
    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        return request_struct_class([(bytes(16), topic, {}) for topic in self._topics], False, False, {})
