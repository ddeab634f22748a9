"""Everything that depends on the private parts of aiokafka 0.14, and the check that this is the version installed.

Owns each such use, with its reason; tests/transport/test_private.py fails when the library changes under it. Must never
be imported by another package, nor hold anything that the public interface of aiokafka can do.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from importlib.metadata import version

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.protocol.api import Response
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest
from aiokafka.protocol.produce import ProduceRequest

__all__ = ["abandon", "check_before_producing", "check_version", "disconnect", "observe_membership"]

SUPPORTED = "0.14."


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
