from collections.abc import Awaitable
from typing import Any

from aiokafka.structs import TopicPartition

class ConsumerRebalanceListener:
    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> Awaitable[Any] | None: ...
    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> Awaitable[Any] | None: ...
