"""The names of the Kafka client that other packages use: types, and errors of the broker.

Owns the choice of the client (aiokafka); no other package imports it. Our own errors are in the modules that raise
them, as branches of the tree in :mod:`transport.errors`.
"""

from aiokafka import AIOKafkaConsumer as Consumer
from aiokafka import AIOKafkaProducer as Producer
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener as RebalanceListener
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.errors import KafkaConnectionError as BrokerAwayError
from aiokafka.errors import KafkaTimeoutError as BrokerTimeoutError
from aiokafka.structs import RecordMetadata

__all__ = [
    "REFUSALS",
    "BrokerAwayError",
    "BrokerTimeoutError",
    "Consumer",
    "ConsumerRecord",
    "KafkaError",
    "Producer",
    "RebalanceListener",
    "RecordMetadata",
    "TopicPartition",
]

REFUSALS = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
"""Errors by which a broker refuses for good: the same request is refused again."""
