"""The doctor on event time: behind the clock, ahead of it, or not known."""

from __future__ import annotations

import asyncio
import json

import pytest

from hubbub.clock import wall_clock
from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker
from streams.records import encode
from streams.records.progress import ResolveProgress, ScoreProgress
from tests.hubbub.cli.conftest import Run, hubbub
from transport.producer import open_producer

__all__ = ["hubbub"]

MINUTE_MS = 60_000
CASES = {
    "a partition without a record is not behind": ([0, -3 * MINUTE_MS], "is 3 min behind the clock", True),
    "no record at all": ([0, 0], "no record has come yet", True),
    "ahead": ([-MINUTE_MS, 57 * MINUTE_MS + 30_000], "is 57 min ahead of the clock", False),
}


@pytest.mark.parametrize("case", CASES)
def test_event_time_is_shown_with_its_side_of_the_clock(
    case: str, hubbub: Run, embedded_broker: EmbeddedBroker
) -> None:
    ages, says, ok = CASES[case]
    prefix = f"doctor{len(case)}-"
    asyncio.run(report(embedded_broker.bootstrap_servers, prefix, ages))
    done = hubbub(
        *("doctor", "--no-platforms", "--json"),
        HUBBUB_KAFKA__BOOTSTRAP_SERVERS=embedded_broker.bootstrap_servers,
        HUBBUB_KAFKA__TOPIC_PREFIX=prefix,
        HUBBUB_KAFKA__PARTITIONS=str(len(ages)),
    )
    found = [one for one in map(json.loads, done.stdout.splitlines()) if "works on all" in one["what"]]
    assert [(one["what"].split()[0], says in one["what"], one["ok"]) for one in found] == [
        ("resolve", True, ok),
        ("score", True, ok),
    ], found


def test_a_quiet_source_is_not_behind_and_a_slow_partition_is(hubbub: Run, embedded_broker: EmbeddedBroker) -> None:
    servers = embedded_broker.bootstrap_servers
    asyncio.run(report(servers, "quiet-", [-600 * MINUTE_MS, -MINUTE_MS]))
    done = hubbub(
        *("doctor", "--no-platforms"),
        HUBBUB_KAFKA__BOOTSTRAP_SERVERS=servers,
        HUBBUB_KAFKA__TOPIC_PREFIX="quiet-",
        HUBBUB_KAFKA__PARTITIONS="2",
    )
    assert "its newest signal is 1 min behind the clock" in done.stdout
    assert "event time is 10 h behind the clock" in done.stdout


def test_stages_are_shown_although_a_topic_differs_and_a_silent_one_is_not_good(
    hubbub: Run, embedded_broker: EmbeddedBroker
) -> None:
    servers = embedded_broker.bootstrap_servers
    asyncio.run(report(servers, "differs-", [-MINUTE_MS, -MINUTE_MS], silent_ms=20_000))
    done = hubbub(
        *("doctor", "--no-platforms"),
        HUBBUB_KAFKA__BOOTSTRAP_SERVERS=servers,
        HUBBUB_KAFKA__TOPIC_PREFIX="differs-",
        HUBBUB_KAFKA__PARTITIONS="3",
    )
    assert "topic differs-signals: it has 2 partitions and needs 3" in done.stdout
    for stage in ("resolve", "score"):
        assert f"✗ {stage} works on partitions 0, 1, 2: no report for 15 s" in done.stdout


async def report(servers: str, prefix: str, ages_ms: list[int], silent_ms: int = 0) -> None:
    """Report, as both stages, that partitions have reached these times; 0 stands for no time at all.

    ``silent_ms``: how long ago the reports were.
    """
    kafka, now_ms = {"bootstrap_servers": servers}, wall_clock() - silent_ms
    await topic_setup.create(kafka, prefix, len(ages_ms), 1)
    async with open_producer(kafka) as producer:
        for number, age_ms in enumerate(ages_ms):
            mark_ms = now_ms + age_ms if age_ms else 0
            for stage, record in (("resolve", ResolveProgress), ("score", ScoreProgress)):
                value = encode(record(str(number), mark_ms, now_ms))
                await producer.send_and_wait(f"{prefix}progress", value, f"{stage}/{number}".encode(), 0)
