"""Fencing: how a worker makes sure that it alone writes a log.

Owns its two halves. A :class:`Lease` is a worker's right to write; it ends when the group may have given the worker's
partitions to another. A *fencing record* is the first record of a worker that begins to write a log, before it reads
the log back. Must never know what is written.

**The lease.** A process that stood still (SIGSTOP, a frozen container, a loop that hung) does not know that its group
has dropped it. Nor does one whose coordinator died or froze: the brokers elect another coordinator, and that one
another member, while the request is still waiting for an answer. A group drops a member one session after the member's
last request, or when it does not join a rebalance in time. So a worker stops writing a part of a session after its last
confirmed request was sent, and no other worker starts before. Bytes that the kernel already has are past this guard.
Records that the producer still holds are not: they must be abandoned with the process.

**The fencing record.** A broker shows only records that all in-sync replicas have. The last records of a writer that
died may be in the log and not be shown yet. A reader that stops at the end it sees misses them, and they appear later.
The next worker would apply them, although everything written since was decided without them. But a record is
acknowledged only after everything before it in the log: once a fencing record is, a reader sees all that precedes it.
"""

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Container, Iterable
from typing import TypeVar

from transport.errors import RestartError
from transport.kafka import Consumer, KafkaError, Producer
from transport.private import check_before_producing, observe_membership

FENCING_KEY = b"claim"
"""The key of fencing records. Readers skip them."""
SESSION_SHARE = 0.75
"""The part of a session for which a confirmation counts. The rest covers the difference between two clocks."""
SILENT_SHARE = 0.4
"""The part of a session without a confirmation after which the broker counts as away: eight heartbeats. A busy machine
delays a few. Longer than that, and a worker would call itself ready until its lease ends."""
T = TypeVar("T")


class LeaseLostError(RestartError, KafkaError):
    """The group has been silent for too long and may have replaced this worker: end the process.

    It is also one of Kafka's errors, and not a retriable one, so a producer that meets it gives up its batch.
    """

    __str__ = Exception.__str__  # aiokafka puts the name of the class before the message


class Lease:
    """A right to write that the group's confirmations renew. Its methods may be called from any thread."""

    def __init__(self, session_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``session_seconds``: the silence after which the group drops a member. ``monotonic``: a clock in seconds."""
        self._seconds = SESSION_SHARE * session_seconds
        self._silent_seconds = SILENT_SHARE * session_seconds
        self._monotonic = monotonic
        self._confirmed_at = float("-inf")

    def renew(self, sent_at: float) -> None:
        """Note that the group has confirmed a request that was sent at ``sent_at`` (monotonic)."""
        self._confirmed_at = max(self._confirmed_at, sent_at)

    def renew_by(self, consumer: Consumer) -> None:
        """Renew whenever the group confirms that ``consumer``, which has been started, is one of its members."""
        observe_membership(consumer, self.renew, self._monotonic)

    def guard(self, producer: Producer, topics: Container[str] | None = None) -> None:
        """Make ``producer``, which has been started, send nothing to ``topics`` (None: any) once the lease has ended.

        :meth:`during` ends a writer in time. But a process that stood still continues where it was: what its producer
        was about to send would be sent before any other code could look at the time.
        """
        check_before_producing(producer, self.check, topics)

    def problem(self) -> str:
        """Return what is wrong if the group has confirmed nothing for some heartbeats; "" if it has."""
        silent = self._monotonic() - self._confirmed_at
        if silent <= self._silent_seconds:
            return ""
        return f"the broker has not answered for {silent:.0f} s; check that it runs"

    def check(self) -> None:
        """Make sure that this worker may write.

        Raises:
            LeaseLostError: it may not.
        """
        if self._left() <= 0:
            silent = self._monotonic() - self._confirmed_at
            raise LeaseLostError(
                f"the group has confirmed nothing for {silent:.1f} s; it may have replaced this worker"
            )

    async def during(self, writing: Awaitable[T]) -> T:
        """Return the result of ``writing``, which only one worker may do.

        Raises:
            LeaseLostError: the lease ended first. The write must not be repeated: end the process.
        """
        self.check()
        work = asyncio.ensure_future(writing)
        while not (await asyncio.wait((work,), timeout=self._left()))[0]:
            self.check()
        return work.result()

    def _left(self) -> float:
        return self._confirmed_at + self._seconds - self._monotonic()


async def write_fencing_records(producer: Producer, topic: str, partitions: Iterable[int]) -> None:
    """Write a fencing record to each of ``partitions``; return when the broker has acknowledged all of them.

    Raises:
        KafkaError: the broker did not.
    """
    writer = f"{platform.node()} {os.getpid()}".encode()
    sent = [await producer.send(topic, writer, FENCING_KEY, partition) for partition in partitions]
    await asyncio.gather(*sent)
