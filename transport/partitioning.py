"""Partitioning: the partition of a key, the same in every stage and by default in every Kafka client.

Owns the rule. Source: Apache Kafka, ``Utils.murmur2`` and ``BuiltInPartitioner``.
"""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=16_384)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition, 0 to ``partitions`` - 1, of the record key ``key``.

    >>> partition_of(b"reddit:t3_18wuc1r", 4)
    2
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions
