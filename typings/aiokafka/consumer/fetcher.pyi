from collections.abc import Iterator
from typing import Any

from aiokafka.structs import ConsumerRecord, TopicPartition

class PartitionRecords:
    next_fetch_offset: int
    _tp: TopicPartition
    _records: Any
    def __iter__(self) -> Iterator[ConsumerRecord[bytes, bytes]]: ...
    def __next__(self) -> ConsumerRecord[bytes, bytes]: ...
    def _unpack_records(self) -> Iterator[ConsumerRecord[bytes, bytes]]: ...
