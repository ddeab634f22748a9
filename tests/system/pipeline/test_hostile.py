"""Ten thousand damaged records: nothing crashes, nothing vanishes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from hubbub.operate.dead_letters import read
from ingest.signal import encode
from tests.conftest import Broker
from tests.system.pipeline.house import house, write_recording
from tests.system.pipeline.recording import make
from transport.producer import open_producer
from transport.topics import name

pytestmark = [pytest.mark.broker, pytest.mark.slow]

RECORDS = 10_000
OUTCOMES = ("hubbub_records_used_total", "hubbub_records_ignored_total", "hubbub_dead_letters_total")
ODD: tuple[object, ...] = (
    None,
    -1,
    0,
    2**63,
    2**70,
    1e308,
    "",
    " ",
    "\x00",
    "\u202e",
    "💥" * 500,
    [],
    {},
    [[[[]]]],
    True,
    "reddit:",
    ":",
    "a" * 5000,
)


def _damaged(seed: int) -> Iterator[bytes | None]:
    """Yield records: bytes flipped, cut, doubled or lost, fields removed, renamed or given a value of another kind."""
    chance = random.Random(seed)
    good = [encode(signal) for signal in make(seed)]
    for number in range(RECORDS):
        raw = chance.choice(good)
        match number % 8:
            case 0:
                place = chance.randrange(len(raw))
                yield raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :]
            case 1:
                yield raw[: chance.randrange(len(raw))]
            case 2:
                place = chance.randrange(len(raw))
                yield raw[:place] + raw[place // 2 :]
            case 3:
                yield chance.randbytes(chance.randrange(200)) or None
            case 4:
                record = orjson.loads(raw)
                del record[chance.choice(sorted(record))]
                yield orjson.dumps(record)
            case 5:
                record = orjson.loads(raw)
                record[chance.choice(sorted(record))] = record.pop(chance.choice(sorted(record)))
                yield orjson.dumps(record)
            case 6:
                record = orjson.loads(raw)
                key, odd = chance.choice(sorted(record)), chance.choice(ODD)
                yield _dump({**record, key: odd})
            case _:
                record = orjson.loads(raw)
                record["counts"] = {
                    **record["counts"],
                    chance.choice(("likes", "replies", "views")): chance.choice(ODD),
                }
                yield _dump(record)


def _dump(record: object) -> bytes:
    return json.dumps(record).encode()


async def test_damaged_records_are_used_ignored_or_dead_and_nothing_crashes(broker: Broker, tmp_path: Path) -> None:
    # Event time ends with the recording, so orphans wait in real time.
    async with house(broker, settings={"HUBBUB_RESOLVE__ORPHAN_WAIT_SECONDS": "5"}) as it:
        topic = name("signals", it.kafka.topic_prefix)
        async with open_producer(it.options) as producer:
            sent = [
                await producer.send(topic, raw, b"any", number % it.kafka.partitions)
                for number, raw in enumerate(_damaged(7))
            ]
            await asyncio.gather(*sent)

        # After all of them, a good recording is scored as always.
        await it.replay(write_recording(tmp_path / "good.ndjson", good := make(8)))
        published = RECORDS + len(good)
        async with asyncio.timeout(120):
            while (counts := await it.metrics("resolve")).get("hubbub_records_waiting"):
                await asyncio.sleep(0.5)
        assert counts["hubbub_records_read_total"] == published
        assert sum(counts.get(metric, 0) for metric in OUTCOMES) == published

        letters = await read(it.options, it.kafka.topic_prefix)
        assert len(letters) == counts["hubbub_dead_letters_total"]
        assert len(letters) > RECORDS // 2
        assert len({(letter.partition, letter.offset) for letter in letters}) == len(letters)
        originals = list(_damaged(7))
        assert {letter.original for letter in letters} <= {raw or b"" for raw in originals}
        assert it.supervisor.restarts == 0
