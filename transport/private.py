"""Everything that depends on the private parts of aiokafka 0.14, and the check that this is the version installed.

Owns each such use, with its reason; tests/transport/test_private.py fails when the library changes under it. Must never
be imported by another package, nor hold anything that the public interface of aiokafka can do.
"""

import asyncio
import base64
import random
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from importlib.metadata import version
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
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
from aiokafka.record._crecords import default_records

from transport.decompression import MAX_BATCH_BYTES, TOO_LARGE_HEADER, BatchTooLargeError, bounded_gzip, bounded_zstd

SUPPORTED = "0.14."
ABANDON_SECONDS = 3.0
"""How long a cancelled sender may take to end."""
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


async def abandon(producer: AIOKafkaProducer) -> None:
    """Stop ``producer`` at once: what the broker has not acknowledged is dropped and never sent again.

    Reason: ``stop`` sends everything that is still buffered, and aiokafka has no stop without that.
    """
    producer._closed = True
    sending = producer._sender.sender_task if producer._sender is not None else None
    if sending is not None:
        sending.cancel()
    await producer.client.close()
    if sending is not None:
        await asyncio.wait({sending}, timeout=ABANDON_SECONDS)  # what it was sending ends before others write


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
    try:
        response = await _ask_any(client, _DescribeRequest(topics))
    except NotImplementedError:  # the broker knows no version 11
        cluster = await client.fetch_all_metadata()
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        return {topic: Described(NO_ID, count) for topic, count in counts.items() if count}
    assert isinstance(response, _MetadataResponse)  # noqa: S101 (the type that the request names)
    return {name: Described(_printed(id_), len(parts)) for code, name, id_, _, parts, *_ in response.topics if not code}


async def _ask_any(client: AIOKafkaClient, request: object) -> Response:
    """Return the answer of the first broker that gives one: a broker that has died stays listed for a while."""
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    for node in random.sample(nodes, len(nodes)):
        try:
            return await client.send(node, request)
        except (NodeNotReadyError, KafkaConnectionError, RequestTimedOutError):
            continue
    raise KafkaConnectionError("no broker answers")


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


class _Batches:
    """The batches of one fetch of a partition, until ``MAX_BATCH_BYTES`` of it are decompressed.

    The consumer fetches the rest again, so a cut loses nothing.
    """

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self._started_at = _decompressed.total
        self.current: Any = None

    def has_next(self) -> bool:
        return _decompressed.total - self._started_at < MAX_BATCH_BYTES and bool(self._batches.has_next())

    def next_batch(self) -> object:
        self.current = self._batches.next_batch()
        return self.current


class _BoundedRecords(PartitionRecords):
    """The records of one fetch of a partition, in which an empty record stands for a batch that is too large."""

    def _unpack_records(self) -> Iterator[ConsumerRecord[bytes, bytes]]:
        self._records = batches = _Batches(self._records)
        while True:
            try:
                yield from super()._unpack_records()
            except BatchTooLargeError as error:
                self.next_fetch_offset = batches.current.next_offset
                headers = ((TOO_LARGE_HEADER, str(error).encode()),)
                place = (*self._tp, self.next_fetch_offset - 1)
                yield ConsumerRecord(*place, -1, 0, None, b"", None, -1, 0, headers)
            else:
                return


class _Decompressed:
    """Counts what all consumers decompress."""

    def __init__(self) -> None:
        self.total = 0

    def counting(self, decode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        def counted(payload: bytes) -> bytes:
            content = decode(payload)
            self.total += len(content)
            return content

        return counted


_decompressed = _Decompressed()


def bound_decompression() -> None:
    """Make every consumer decompress a bounded part of a fetch at a time, and replace a batch that is too large.

    Reason: aiokafka decompresses a whole batch at once, whatever its size; 1 MiB of zstd can fill all memory.
    """
    default_records.gzip_decode = _decompressed.counting(bounded_gzip)
    default_records.zstd_decode = _decompressed.counting(bounded_zstd)
    for codec in ("lz4_decode", "snappy_decode"):
        setattr(default_records, codec, _decompressed.counting(getattr(default_records, codec)))
    fetcher.PartitionRecords = _BoundedRecords  # type: ignore[misc]  # the fetcher makes them by this name


bound_decompression()
