"""Incarnations of topics: a topic that is deleted and created again is another topic of the same name.

Owns the question whether a topic is still the one to which remembered offsets belong. In another incarnation the same
offsets name other records: what a role remembers as read, sent or applied would hide records that are new. Must never
know what is remembered, nor where.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import NoReturn

from transport.errors import UserError
from transport.kafka import KafkaError, Producer
from transport.private import NO_ID, describe

__all__ = ["Incarnations", "TopicRecreatedError"]

CHECK_SECONDS = 2.0
"""Bounds for how long a role works with offsets of another incarnation. All that it does in that time is built again,
since its memory goes on naming the old one."""


class TopicRecreatedError(UserError):
    """Remembered offsets belong to an earlier incarnation of a topic."""

    def __init__(self, topic: str, remembered: str, found: str) -> None:
        super().__init__(
            f"{topic} was deleted and created again (its id was {remembered}, now it is {found}), so remembered "
            "offsets belong to records that are gone. Build everything again (docs/runbook.md)"
        )


class Incarnations:
    """The incarnations of some topics as of :meth:`open`."""

    def __init__(self, producer: Producer, topics: Collection[str]) -> None:
        """``producer``: its connection is used."""
        self._client = producer.client
        self._topics = topics
        self.ids: Mapping[str, str] = {}
        """By topic, to be remembered with its offsets. "" for a topic that its broker gives no id, or that is missing:
        it is never compared."""

    async def open(self) -> None:
        """Take the incarnations that the topics have now.

        Raises:
            KafkaError: no broker answers.
        """
        self.ids = await self._now()

    def check(self, topic: str, remembered: str) -> None:
        """Make sure that offsets in ``topic`` remembered with the id ``remembered`` ("": not known) are still valid.

        Raises:
            TopicRecreatedError: they belong to an earlier incarnation.
        """
        found = self.ids.get(topic, NO_ID)
        if remembered not in {NO_ID, found} and found != NO_ID:
            raise TopicRecreatedError(topic, remembered, found)

    async def watch(self) -> NoReturn:
        """Check again and again whether the topics are still in the incarnations of :meth:`open`.

        Raises:
            TopicRecreatedError: one is not.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                found = await self._now()
            except (KafkaError, OSError):  # the role notices by itself that its broker is away
                continue
            for topic, id_ in found.items():
                remembered = self.ids[topic]
                if NO_ID not in {remembered, id_} and remembered != id_:
                    raise TopicRecreatedError(topic, remembered, id_)

    async def _now(self) -> dict[str, str]:
        described = await describe(self._client, self._topics)
        return {topic: described[topic].id if topic in described else NO_ID for topic in self._topics}
