"""Looking into dead letters and sending the records in them through again.

Owns reading the topic ``dead-letters``, as a person would. What writes it is each stage's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streams.dead_letters import DeadLetter, decode_dead_letter
from streams.producer import open_producer
from streams.tail import Tail
from streams.topics import name

__all__ = ["as_json", "read"]


async def read(
    kafka: Mapping[str, object], prefix: str, *, stage: str | None, reason: str | None, replay: bool
) -> list[DeadLetter]:
    """Return the dead letters, oldest first; with ``replay``, publish their records again to where they came from.

    ``stage``, ``reason``: only those, None for all.

    Raises:
        LookupError: there is no such topic.
        aiokafka.errors.KafkaError: the broker cannot be reached, or refuses.
    """
    async with Tail(name("dead-letters", prefix), kafka) as tail:
        letters = [decode_dead_letter(record.value) for record in await tail.to_end() if record.value is not None]
    found = [
        letter
        for letter in letters
        if (stage is None or letter.stage == stage) and (reason is None or letter.reason == reason)
    ]
    if replay and found:
        async with open_producer(kafka) as producer:
            for letter in found:
                # The key is not kept: a record nobody could read has none to trust. The partition is the same.
                await producer.send(letter.topic, letter.original, partition=letter.partition)
            await producer.flush()
    return found


def as_json(letter: DeadLetter) -> dict[str, object]:
    """Return the letter as plain values."""
    plain: dict[str, object] = msgspec.to_builtins(letter)
    return plain
