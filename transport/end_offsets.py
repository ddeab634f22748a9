"""Where topics end, asked so that every broker tells the truth.

Owns one question to the broker. Must never commit, nor touch a consumer that somebody else reads with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aiokafka import TopicPartition

from transport.consumer import begin_at, open_consumer

__all__ = ["log_ends"]

FETCH_WAIT_MS = 20


async def log_ends(kafka: Mapping[str, object], partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return, for each of ``partitions``, the offset that its next record will get.

    ``kafka``: connection options of aiokafka. Kafka's ``end_offsets`` would do, but the embedded broker answers it with
    the first offset of the last batch + 1. What a fetch says of the log's end is right there, so one is made; on Kafka
    it may be too low for a moment after a change of leader, against which only ``end_offsets`` is guarded (KIP-207).
    Neither is ever too high.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    if not partitions:
        return {}
    async with open_consumer(
        **kafka,
        group_id=None,
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        retry_backoff_ms=FETCH_WAIT_MS,  # it does not know the topic yet when it is first asked for its end
    ) as consumer:
        claimed: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        begin_at(consumer, claimed)
        while True:
            ends = {partition: consumer.highwater(partition) for partition in partitions}
            known = {partition: max(end, claimed[partition]) for partition, end in ends.items() if end is not None}
            if len(known) == len(ends):
                return known
            await consumer.getmany(timeout_ms=FETCH_WAIT_MS)
