"""A worker's right to write, which ends when its group may have put another in its place.

Owns the answer to one question, asked before and while anything is written that only one worker may write: has the
group said, not long ago, that this worker is one of its members? A process that stood still (SIGSTOP, a frozen
container, a loop that hung) has not heard it, nor one whose coordinator died or froze, from which nobody answers for as
long as a request may take, while the other brokers have long made another coordinator and that one another member.

A group counts a member as dead one session after it has last heard of it, or when it does not come in time to a group
that forms anew. So whoever does not write later than a part of a session after the last request that was answered by
"you are one of us", counted from when it was sent, writes before anybody else does. What was in the kernel's hands
already is past this guard; what the producer still holds is not, and must be abandoned with the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Container
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest
from aiokafka.protocol.produce import ProduceRequest

__all__ = ["Lease", "LeaseLostError"]

SHARE = 0.75
"""The part of the session for which an answer counts."""
T = TypeVar("T")


class LeaseLostError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """The group has not been heard of for long, and another may have taken this worker's place: end it, start anew.

    One of Kafka's errors, so that a producer that meets it gives up what it holds, and does not try again.
    """

    __str__ = Exception.__str__


class _Answer(Protocol):
    error_code: int


class Lease:
    """Is renewed by the group's answers. Its methods may be called from any thread."""

    def __init__(self, session_seconds: float) -> None:
        """``session_seconds``: silence after which the group counts a worker as dead."""
        self._seconds = SHARE * session_seconds
        self._asked_at = float("-inf")

    def renew(self, asked_at: float) -> None:
        """Note that the group counts this worker among its members, as an answer to what was asked then (monotonic)."""
        self._asked_at = max(self._asked_at, asked_at)

    def renew_by(self, consumer: AIOKafkaConsumer) -> None:
        """Renew whenever the group tells ``consumer``, which has been started, its partitions or answers its heartbeat.

        While it forms anew, the answer to a heartbeat is an error: members that do not join in time are dropped.
        """
        coordinator = consumer._coordinator
        send = coordinator._send_req

        async def noted(request: object) -> _Answer:
            asked_at = time.monotonic()
            answer: _Answer = await send(request)
            if isinstance(request, HeartbeatRequest | SyncGroupRequest) and answer.error_code == 0:
                self.renew(asked_at)
            return answer

        coordinator._send_req = noted

    def guard(self, producer: AIOKafkaProducer, topics: Container[str] | None = None) -> None:
        """Have ``producer``, which has been started, send nothing to ``topics`` (None: any) once this lease has ended.

        :meth:`during` sees to it that a writer ends in time. But one that stood still goes on where it was, and what
        its producer was about to send would be on its way before anybody could look at the time.
        """
        client = producer.client
        send = client.send

        async def guarded(node_id: int, request: object, **options: object) -> object:
            if isinstance(request, ProduceRequest) and (
                topics is None or any(topic in topics for topic, _ in request._topics)
            ):
                await client.ready(node_id)  # may take long; sending does not, then
                self.check()
            return await send(node_id, request, **options)

        client.send = guarded

    def check(self) -> None:
        """Say whether this worker may write.

        Raises:
            LeaseLostError: it may not.
        """
        if self._left() <= 0:
            silent = time.monotonic() - self._asked_at
            raise LeaseLostError(f"the group has said nothing for {silent:.1f} s; another may have taken its place")

    async def during(self, writing: Awaitable[T]) -> T:
        """Return what ``writing`` does, which only one worker may do.

        Raises:
            LeaseLostError: the lease ended before that was done. What is on its way must not arrive: end the process.
        """
        self.check()
        work = asyncio.ensure_future(writing)
        while not (await asyncio.wait((work,), timeout=self._left()))[0]:
            self.check()
        return work.result()

    def _left(self) -> float:
        return self._asked_at + self._seconds - time.monotonic()
