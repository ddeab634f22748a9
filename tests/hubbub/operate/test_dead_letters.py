"""Dead letters are read once each, and their originals are published again, also truncated ones."""

from __future__ import annotations

import os

import pytest

from hubbub.operate import topic_setup
from hubbub.operate.dead_letters import Redriven, read, redrive
from tests.conftest import Broker
from transport.dead_letter import MAX_CARRIED_BYTES, DeadLetter, decode_dead_letter, encode_dead_letter
from transport.producer import MAX_RECORD_BYTES, open_producer
from transport.reader import TopicReader
from transport.topics import name

LARGE = os.urandom(MAX_CARRIED_BYTES + 1)


def letter(topic: str | None, offset: int, original: bytes, *, at_ms: int = 1) -> DeadLetter:
    return decode_dead_letter(
        encode_dead_letter(
            stage="resolve" if topic else "collect",
            reason="not_json",
            detail="",
            at_ms=at_ms,
            original=original,
            topic=topic,
            partition=0 if topic else None,
            offset=offset if topic else None,
            collector=None if topic else "reddit",
        )
    )


@pytest.fixture
async def signals(broker: Broker) -> str:
    """Create the topics and return the name of ``signals``."""
    await topic_setup.create({"bootstrap_servers": broker.bootstrap_servers}, broker.topic_prefix, 1, 1)
    return name("signals", broker.topic_prefix)


async def values(kafka: dict[str, object], topic: str) -> list[bytes | None]:
    async with TopicReader(topic, kafka) as reader:
        return [record.value for record in await reader.read_to_end()]


async def test_originals_are_published_again_once_each(broker: Broker, signals: str) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    async with open_producer(kafka) as producer:
        for value in (b"small", LARGE):
            await producer.send_and_wait(signals, value, partition=0)
    small, large = letter(signals, 0, b"small"), letter(signals, 1, LARGE)
    assert large.truncated
    again = letter(signals, 7, b"small")
    done = await redrive([small, large, again, letter(None, 0, b"{}")], kafka)
    assert done == Redriven((again, large), (), ())
    assert (await values(kafka, signals))[2:] == [b"small", LARGE]


async def test_a_truncated_original_that_is_no_longer_in_its_place_is_reported(broker: Broker, signals: str) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(signals, os.urandom(len(LARGE)), partition=0)
    gone = (
        letter(signals, 0, LARGE),  # the topic was created again: another record has this offset
        letter(signals, 1, LARGE),  # not there yet
        letter(signals.replace("signals", "no-such-signals"), 0, LARGE),
    )
    assert await redrive(gone, kafka) == Redriven((), gone, ())
    assert len(await values(kafka, signals)) == 1


async def test_an_original_too_large_to_publish_is_reported(broker: Broker) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    old = letter("signals", 0, b"")
    too_large = DeadLetter(
        stage=old.stage, reason=old.reason, detail="", topic="signals", partition=0, offset=0, at_ms=1,
        original_b64="QUFB" * (MAX_RECORD_BYTES // 3),
    )  # fmt: skip
    assert await redrive([too_large], kafka) == Redriven((), (), (too_large,))


async def test_a_dead_letter_written_again_after_a_crash_is_read_once(broker: Broker, signals: str) -> None:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    topic = name("dead-letters", broker.topic_prefix)
    written = [
        letter(signals, 4, b"a"),
        letter(None, 0, b"b"),
        letter(signals, 4, b"a", at_ms=2),
        letter(None, 0, b"b"),
    ]
    async with open_producer(kafka) as producer:
        for one in written:
            await producer.send_and_wait(topic, encode(one), partition=0)
    found = await read(kafka, broker.topic_prefix)
    assert found == [written[2], written[1], written[3]]
    assert await read(kafka, broker.topic_prefix, stage="resolve") == [written[2]]
    assert await read(kafka, broker.topic_prefix, reason="bad_time") == []
    assert await read(kafka, broker.topic_prefix, since_ms=2) == [written[2]]


def encode(one: DeadLetter) -> bytes:
    return encode_dead_letter(
        stage=one.stage, reason=one.reason, detail=one.detail, at_ms=one.at_ms, original=one.carried,
        topic=one.topic, partition=one.partition, offset=one.offset, collector=one.collector,
    )  # fmt: skip
