"""Dead letters: reading them, publishing their originals again, and making one of a record that stops a role.

Owns the operator's side of the topic ``dead-letters``. Each stage writes its own dead letters.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.records.skipped import skipped_key
from streams.score.changelog import TOPIC as CHANGELOG
from transport.consumer import open_consumer, start_at
from transport.dead_letter import DeadLetter, decode_dead_letter, encode_dead_letter
from transport.errors import UserError
from transport.kafka import ConsumerRecord, TopicPartition
from transport.offsets import end_offsets
from transport.producer import MAX_RECORD_BYTES, open_producer
from transport.reader import TopicReader
from transport.topics import TOPICS, name

READ_TIMEOUT_MS = 10_000
KEY_AND_HEADER_BYTES = 1_024
"""Room for what a record adds to its value."""
MEMORY_OF_READER = {**dict.fromkeys(("signals", "candidates", "progress"), "stories"), "story-activity": CHANGELOG}


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
                letter = _decode(record, record.value)
                letters[_place(letter) or len(letters)] = letter
    return [
        letter
        for letter in letters.values()
        if letter.stage == (stage or letter.stage)
        and letter.reason == (reason or letter.reason)
        and letter.at_ms >= since_ms
    ]


def _decode(record: ConsumerRecord[bytes, bytes], value: bytes) -> DeadLetter:
    """Return the dead letter; for a record of another program, one that says so and that is never published again."""
    try:
        letter = decode_dead_letter(value)
        b64decode(letter.original_b64)
    except (ValueError, RecursionError) as error:
        detail = f"{record.topic}, partition {record.partition}, offset {record.offset} is no dead letter: {error}"
        original = b64encode(value).decode()
        return DeadLetter(stage="unknown", reason="unreadable", detail=detail, at_ms=0, original_b64=original)
    return letter


async def redrive(letters: Sequence[DeadLetter], kafka: Mapping[str, object]) -> Redriven:
    """Publish the originals of ``letters`` again, to the topics and partitions they came from, each once.

    A truncated original is read from its place, and must have the recorded hash. The items that a collector rejected
    came from no topic, and are left out. So are records of other topics than ``signals``: they would stop a role again.

    Raises:
        KafkaError: the broker cannot be reached, or refuses.
    """
    gone, too_large = [], []
    # An original that was published again, and rejected again, has a dead letter for each time.
    originals: dict[tuple[str, int, bytes], DeadLetter] = {}
    for letter in letters:
        if (place := _place(letter)) is None or not place[0].endswith("signals"):
            continue
        original = letter.original
        if letter.truncated and (record := await _read_back(place, kafka)) and letter.is_original(record.value or b""):
            original = record.value
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


async def skip(place: str, kafka: Mapping[str, object], prefix: str) -> None:
    """Make a dead letter of the record at ``place`` (topic:partition:offset), and let its reader pass over it.

    Raises:
        UserError: there is no such record, or its reader cannot do without it.
    """
    topic, *numbers = place.removeprefix(prefix).split(":")
    if topic not in {one.name for one in TOPICS} or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
        raise UserError(f"{place!r} is not TOPIC:PARTITION:OFFSET; an example is signals:0:1234")
    partition, offset = map(int, numbers)
    async with TopicReader(name(topic, prefix), kafka) as reader:
        exists = partition < len(reader.end_offsets)
    record = await _read_back((name(topic, prefix), partition, offset), kafka) if exists else None
    if record is None:
        raise UserError(f"there is no record at {place}; take the place from the log line of the role that it stops")
    of_merge = any(part in (record.value or b"") for part in (b'"leaving"', b'"joining"', b'"transfer"'))
    if topic not in MEMORY_OF_READER or (topic == "story-activity" and of_merge):
        raise UserError(f"without it {topic} would be wrong; see 'Junk in an internal topic' in docs/runbook.md")
    letter = encode_dead_letter(
        stage="skip",
        reason="skipped",
        detail="an operator skipped it, since it stopped its reader",
        topic=record.topic,
        partition=partition,
        offset=offset,
        at_ms=max(record.timestamp, 0),
        original=record.value or b"",
    )
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(name("dead-letters", prefix), letter, b"skip", 0)
        key = skipped_key(topic, partition, offset)
        number = partition if topic == "story-activity" else 0
        await producer.send_and_wait(name(MEMORY_OF_READER[topic], prefix), b"", key, number)


async def _read_back(place: tuple[str, int, int], kafka: Mapping[str, object]) -> ConsumerRecord[bytes, bytes] | None:
    """Return the record at ``place``; None if it is no longer there."""
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
    return records[0] if records and records[0].offset == offset else None


def _place(letter: DeadLetter) -> tuple[str, int, int] | None:
    """Return where the original stands; None if it came from no topic."""
    if letter.topic is None or letter.partition is None or letter.offset is None:
        return None
    return letter.topic, letter.partition, letter.offset
