"""A claim: the first record of whoever begins to write a log alone, before reading what was written there before.

Owns the way to read all of it. A broker shows only what all in-sync replicas have, so the last records of a writer who
died may be in the log and not be shown yet. Who reads to the end then misses them, and they come up later, for the
next to begin: who would believe them, though what was told since was told without them. But nothing is acknowledged
before all that stands before it in the log: once a claim is, a reader sees everything that came before it.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

__all__ = ["CLAIM_KEY", "claim"]

CLAIM_KEY = b"claim"
"""Of the record that says who has claimed a log, which readers pass over."""


async def claim(producer: AIOKafkaProducer, topic: str, partitions: Iterable[int]) -> None:
    """Write a claim to each of ``partitions``; return when the broker has acknowledged all of them.

    Raises:
        aiokafka.errors.KafkaError: it has not.
    """
    who = f"{platform.node()} {os.getpid()}".encode()
    sent = [await producer.send(topic, who, CLAIM_KEY, partition) for partition in partitions]
    await asyncio.gather(*sent)
