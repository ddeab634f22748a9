"""Dead letters: reading them, and publishing their originals again.

Owns the operator's side of the topic ``dead-letters``. Each stage writes its own dead letters.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transport.consumer import open_consumer, start_at
from transport.dead_letter import DeadLetter, decode_dead_letter
from transport.kafka import TopicPartition
from transport.offsets import end_offsets
from transport.producer import MAX_RECORD_BYTES, open_producer
from transport.reader import TopicReader
from transport.topics import name

READ_TIMEOUT_MS = 10_000
KEY_AND_HEADER_BYTES = 1_024
"""Room for what a record adds to its value."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """The dead letters whose originals were published again, are gone, or are too large."""

    published: tuple[DeadLetter, ...]
    gone: tuple[DeadLetter, ...]
    too_large: tuple[DeadLetter, ...]


async def read(
    kafka: Mapping[str, object], prefix: str, *, stage: str | None = None, reason: str | None = None, since_ms: int = 0
) -> list[DeadLetter]:
    """Return the dead letters, oldest first, each record's last one only: a crash makes a stage write one again.

    ``stage``, ``reason``: only those; None for all. ``since_ms``: only those written at this time or later.

    Raises:
        TopicMissingError: the topic does not exist.
        KafkaError: the broker cannot be reached.
    """
    letters: dict[object, DeadLetter] = {}
    async with TopicReader(name("dead-letters", prefix), kafka) as reader:
        async for record in reader.until_end():
            if record.value is not None:
                letter = decode_dead_letter(record.value)
                letters[_place(letter) or len(letters)] = letter
    return [
        letter
        for letter in letters.values()
        if letter.stage == (stage or letter.stage)
        and letter.reason == (reason or letter.reason)
        and letter.at_ms >= since_ms
    ]


async def redrive(letters: Sequence[DeadLetter], kafka: Mapping[str, object]) -> Redriven:
    """Publish the originals of ``letters`` again, to the topics and partitions they came from, each once.

    A truncated original is read from its place, and must have the recorded hash. The items that a collector rejected
    came from no topic, and are left out.

    Raises:
        KafkaError: the broker cannot be reached, or refuses.
    """
    gone, too_large = [], []
    # An original that was published again, and rejected again, has a dead letter for each time.
    originals: dict[tuple[str, int, bytes], DeadLetter] = {}
    for letter in letters:
        if (place := _place(letter)) is None:
            continue
        original = letter.original if not letter.truncated else await _read_back(letter, place, kafka)
        if original is None:
            gone.append(letter)
        elif len(original) > MAX_RECORD_BYTES - KEY_AND_HEADER_BYTES:
            too_large.append(letter)
        else:
            originals[place[0], place[1], original] = letter
    async with open_producer(kafka) as producer:
        # Without a key: none of an unreadable record can be trusted. The partition stays.
        sent = [await producer.send(topic, original, partition=partition) for topic, partition, original in originals]
        await asyncio.gather(*sent)
    return Redriven(tuple(originals.values()), tuple(gone), tuple(too_large))


async def _read_back(letter: DeadLetter, place: tuple[str, int, int], kafka: Mapping[str, object]) -> bytes | None:
    """Return the truncated original from its place; None if it is no longer there."""
    topic, number, offset = place
    async with open_consumer(**kafka, group_id=None, enable_auto_commit=False, auto_offset_reset="none") as consumer:
        if topic not in await consumer.topics():
            return None
        partition = TopicPartition(topic, number)
        beginning = (await consumer.beginning_offsets([partition]))[partition]
        if not beginning <= offset < (await end_offsets(kafka, [partition]))[partition]:
            return None
        start_at(consumer, {partition: offset})
        records = (await consumer.getmany(timeout_ms=READ_TIMEOUT_MS, max_records=1)).get(partition, [])
    value = records[0].value if records and records[0].offset == offset else None
    return value if value is not None and letter.is_original(value) else None


def _place(letter: DeadLetter) -> tuple[str, int, int] | None:
    """Return where the original stands; None if it came from no topic."""
    if letter.topic is None or letter.partition is None or letter.offset is None:
        return None
    return letter.topic, letter.partition, letter.offset
