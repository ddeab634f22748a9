"""Looking into dead letters and sending the records in them through again.

Owns reading the topic ``dead-letters``, as a person would. What writes it is each stage's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from transport.dead_letter import DeadLetter, decode_dead_letter
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["as_json", "read", "replay"]


async def read(
    kafka: Mapping[str, object], prefix: str, *, stage: str | None = None, reason: str | None = None
) -> list[DeadLetter]:
    """Return the dead letters, oldest first; one that a stage wrote again after a crash is returned once.

    ``stage``, ``reason``: only those, None for all.

    Raises:
        LookupError: there is no such topic.
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    async with TopicReader(name("dead-letters", prefix), kafka) as tail:
        letters = [decode_dead_letter(record.value) for record in await tail.read_to_end() if record.value is not None]
    once = {_place(number, letter): letter for number, letter in enumerate(letters)}
    return [
        letter
        for letter in once.values()
        if (stage is None or letter.stage == stage) and (reason is None or letter.reason == reason)
    ]


async def replay(letters: Iterable[DeadLetter], kafka: Mapping[str, object]) -> int:
    """Publish the records of ``letters`` again to where they came from, each once; return how many those are.

    What a collector gave up came from no topic, and is left out: it is collected again or not at all.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached, or refuses.
    """
    # One that was published again before and is still no good has a letter for each time.
    whole = [letter for letter in letters if not letter.truncated]
    records = {(letter.topic, letter.partition, letter.original) for letter in whole if letter.topic is not None}
    async with open_producer(kafka) as producer:
        # The key is not kept: a record nobody could read has none to trust. The partition is the same.
        sent = [await producer.send(topic, original, partition=partition) for topic, partition, original in records]
        await asyncio.gather(*sent)
    return len(records)


def _place(number: int, letter: DeadLetter) -> object:
    """Return what two letters have in common that tell of one record; ``number`` is the letter's own."""
    return number if letter.topic is None else (letter.topic, letter.partition, letter.offset)


def as_json(letter: DeadLetter) -> dict[str, object]:
    """Return the letter as plain values."""
    plain: dict[str, object] = msgspec.to_builtins(letter)
    return plain
