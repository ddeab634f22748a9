"""Differences between the embedded broker and Kafka, and the cures, which are right on Kafka too.

Owns every line of code that exists for that broker. Must never be imported outside this package: other code does not
know which broker it talks to.

Tansu 0.6.0 (510f3e2, in memory), as measured here. tests/transport/test_embedded_limits.py checks each line, so that an
upgrade that fixes one is noticed:

- no retention and no compaction: nothing is ever deleted, memory grows by the records and ~1.1 kB per batch
- no idempotent producers: InitProducerId is refused (cure: :func:`start_producer`)
- ``end_offsets`` is too low: the *first* offset of the last batch + 1 (cure: :func:`correct_end_offsets`). So
  ``seek_to_end`` and ``auto_offset_reset="latest"`` read part of the last batch again
- ``offsets_for_times`` goes by arrival, finds whole batches, and answers 0 for a time after the last record
- an offset past the end is not out of range: a fetch there waits forever
- metadata committed beside an offset is not returned; admin ``list_consumer_group_offsets`` and a
  ``describe_configs`` that names keys break the connection; ``consumer.committed`` works
- ``describe_configs`` returns what was set when the topic was created, without defaults; ``alter_configs``,
  ``create_partitions`` and ``delete_records`` do not work
- every topic that is asked for by name is created (4 partitions); however many replicas are asked for, it keeps one
- no limit on the size of a record; compacted topics accept null keys (Kafka refuses them)
- each fetch walks all batches of its partition: ~1 ms per 1 000 of them. When that takes longer than
  ``fetch_max_wait_ms`` (500), at some 400 000 batches, the reader gets nothing any more. Few, large batches are fast
- a group takes half of ``rebalance_timeout_ms`` to form (Kafka: none of it); a dead member is noticed after its session

As in Kafka: headers, timestamps (also a producer's own), tombstones, empty values, gzip, lz4, snappy, zstd.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aiokafka.errors import UnknownError

from transport.consumer import start_at
from transport.kafka import Consumer, Producer, TopicPartition
from transport.private import abandon

FETCH_WAIT_MS = 20
"""How long a fetch at the end of a partition waits for records: it is made for the end offset that comes with it."""
_asking: Final[set[object]] = set()
"""One for each producer that waits for an answer to its request for a producer id."""


async def correct_end_offsets(consumer: Consumer, reported: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Return the true end offsets of partitions whose ``reported`` ones may be too low. Moves ``consumer``.

    The end offset that comes with a fetch is right on the embedded broker. On Kafka it may be too low for a moment
    after a change of leader, from which only ``end_offsets`` is protected (KIP-207). Neither is ever too high.
    """
    start_at(consumer, reported)
    while True:
        fetched = {partition: consumer.highwater(partition) for partition in reported}
        ends = {partition: max(end, reported[partition]) for partition, end in fetched.items() if end is not None}
        if len(ends) == len(reported):
            return ends
        await consumer.getmany(timeout_ms=FETCH_WAIT_MS)


async def start_producer(make: Callable[[bool], Producer]) -> Producer:
    """Return a started producer: ``make(True)``, an idempotent one, if the broker gives out producer ids.

    A plain producer may write a record twice after a lost answer. Every reader takes such a pair for one record.
    """
    try:
        with _refusals_unlogged():
            return await _start(make(True))
    except UnknownError:
        return await _start(make(False))


@contextlib.contextmanager
def _refusals_unlogged() -> Iterator[None]:
    """Keep aiokafka from logging a refusal as an error. Several producers may start at the same time."""
    sender_log, asking = logging.getLogger("aiokafka.producer.sender"), object()
    _asking.add(asking)
    sender_log.disabled = True
    try:
        yield
    finally:
        _asking.remove(asking)
        sender_log.disabled = bool(_asking)


async def _start(producer: Producer) -> Producer:
    try:
        await producer.start()
    except BaseException:
        with contextlib.suppress(Exception):
            await abandon(producer)
        raise
    return producer
