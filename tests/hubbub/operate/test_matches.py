"""Why posts are in their stories is read from the log of decisions."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.operate import topic_setup
from hubbub.operate.decoding import UnreadableRecordError
from hubbub.operate.matches import MatchReason, read_matches
from streams.records import encode
from streams.records.stories import MOVED_KEY, THREAD_KEY, Assignment, Moved, ThreadRecord
from streams.resolve.matching.features import Features
from tests.conftest import Broker
from transport.producer import open_producer
from transport.topics import name

SIMILAR = Features((), ("ledger", "outage"), because=("ledger", "outage"))


def decision(thread: str, stage: str, features: Features | None) -> tuple[bytes, bytes | None]:
    raw = msgspec.Raw(msgspec.json.encode(features))
    return THREAD_KEY + thread.encode(), encode(ThreadRecord(thread, 0, 1, (Assignment("st_a", "ai", stage, raw),)))


async def written(broker: Broker, records: list[tuple[bytes, bytes | None]]) -> dict[str, object]:
    kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
    await topic_setup.create(kafka, broker.topic_prefix, 1, 1)
    async with open_producer(kafka) as producer:
        for key, value in records:
            await producer.send_and_wait(name("stories", broker.topic_prefix), value, key, 0)
    return kafka


async def test_each_thread_has_its_last_reason(broker: Broker) -> None:
    records = [
        decision("x:a", "new", None),
        decision("x:b", "similar", SIMILAR),
        decision("x:c", "url", None),
        decision("x:other", "url", None),
        (MOVED_KEY + b"x:c", encode(Moved("x:c", "st_b", 2))),
        (THREAD_KEY + b"x:gone", None),
    ]
    kafka = await written(broker, records)
    assert await read_matches(["x:a", "x:b", "x:c", "x:gone"], "ai", kafka, broker.topic_prefix) == {
        "x:a": MatchReason("new"),
        "x:b": MatchReason("similar", ("ledger", "outage")),
        "x:c": MatchReason("operator"),
    }


async def test_a_decision_that_cannot_be_read_is_an_error(broker: Broker) -> None:
    kafka = await written(broker, [(THREAD_KEY + b"x:a", b"junk")])
    with pytest.raises(UnreadableRecordError, match="stories"):
        await read_matches(["x:a"], "ai", kafka, broker.topic_prefix)
