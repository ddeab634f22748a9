"""Incarnations of topics: a topic that is deleted and created again is another topic of the same name.

Owns the question whether a topic is still the one to which remembered offsets belong. In another incarnation the same
offsets name other records: what a role remembers as read, sent or applied would hide records that are new. Must never
know what is remembered, nor where.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import NoReturn

from transport.errors import UserError
from transport.kafka import KafkaError, Producer
from transport.private import NO_ID, Described, describe
from transport.reader import TopicMissingError

CHECK_SECONDS = 2.0
"""Bounds for how long a role works with offsets of another incarnation. All that it does in that time is built again,
since its memory goes on naming the old one."""
TRIES = 20
RETRY_SECONDS = 0.25
UNKNOWN = Described(NO_ID, 0)


class TopicRecreatedError(UserError):
    """Remembered offsets belong to an earlier incarnation of a topic."""

    def __init__(self, topic: str, remembered: str, found: str) -> None:
        super().__init__(
            f"{topic} was deleted and created again (its id was {remembered}, now it is {found}), so what is "
            "remembered does not fit its records. Rebuild from signals (docs/runbook.md)"
        )


class Incarnations:
    """The incarnations of some topics, as of :meth:`open`."""

    def __init__(self, producer: Producer, topics: Sequence[str]) -> None:
        """``producer``: its connection is used."""
        self._producer = producer
        self._topics = topics
        self.ids: Sequence[str] = ()
        """The topics' ids, to be remembered with offsets. "" on a broker that gives no ids: it is never compared."""

    async def open(self) -> None:
        """Take the incarnations that the topics have now.

        Raises:
            TopicMissingError: a topic does not exist.
            KafkaError: no broker answers.
        """
        for _ in range(TRIES):  # brokers learn of a new topic one by one
            described = await describe(self._producer.client, self._topics)
            missing = [topic for topic in self._topics if topic not in described]
            if not missing:
                self.ids = [described[topic].id for topic in self._topics]
                return
            await asyncio.sleep(RETRY_SECONDS)
        raise TopicMissingError(missing[0])

    def check(self, remembered: Sequence[str]) -> None:
        """Make sure that offsets are still valid that were ``remembered`` with these ids (none, or "": not known).

        Raises:
            TopicRecreatedError: they belong to an earlier incarnation.
        """
        self._compare(remembered, self.ids)

    async def watch(self) -> NoReturn:
        """Check again and again whether the topics are still in the incarnations of :meth:`open`.

        Raises:
            TopicRecreatedError: one is not.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            with contextlib.suppress(KafkaError, OSError):  # the role notices by itself that its broker is away
                described = await describe(self._producer.client, self._topics)
                self._compare(self.ids, [described.get(topic, UNKNOWN).id for topic in self._topics])

    def _compare(self, remembered: Sequence[str], found: Sequence[str]) -> None:
        for topic, before, now in zip(self._topics, remembered, found, strict=False):
            if before != now and NO_ID not in {before, now}:
                raise TopicRecreatedError(topic, before, now)
