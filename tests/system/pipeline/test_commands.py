"""The commands, as processes, on a running system that has scored something."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubbub.operate import operator_commands
from ingest.signal import Signal
from streams.records.stories import OperatorCommand
from tests.conftest import Broker
from tests.system.pipeline.house import House, house, write_recording
from tests.system.pipeline.recording import make
from transport.dead_letter import encode_dead_letter
from transport.producer import open_producer
from transport.topics import name

pytestmark = [pytest.mark.broker, pytest.mark.slow]


async def hubbub(it: House, *words: str, code: int = 0) -> str:
    """Run a command against the pipeline and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubbub", *words),
        env={
            **os.environ,
            "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": it.kafka.bootstrap_servers,
            "HUBBUB_KAFKA__TOPIC_PREFIX": it.kafka.topic_prefix,
            "HUBBUB_KAFKA__PARTITIONS": str(it.kafka.partitions),
            "COLUMNS": "120",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == code, (words, process.returncode, errors.decode())
    return out.decode()


async def test_commands_on_a_running_system(broker: Broker, tmp_path: Path) -> None:
    signals = make(5)
    recording = write_recording(tmp_path / "r.ndjson", signals)
    async with house(broker) as it:
        done = json.loads(await hubbub(it, "replay", str(recording), "--speed", "max", "--until-idle", "--json"))
        assert (done["published"], done["scored"], done["refused"]) == (len(signals), True, {})
        assert (done["first_ms"], done["last_ms"]) == (signals[0].observed_ms, signals[-1].observed_ms)

        scores = [json.loads(line) for line in (await hubbub(it, "scores", "--top", "3", "--json")).splitlines()]
        assert len(scores) == 3
        assert [score["noise"] for score in scores] == sorted((score["noise"] for score in scores), reverse=True)
        table = await hubbub(it, "scores")
        assert all(score["title"][:30] in table for score in scores)
        assert len(table.strip().splitlines()) == 1 + len(await it.scores())

        loudest = scores[0]
        explained = json.loads(await hubbub(it, "explain", loudest["slug"], "--json"))
        points = sum(factor["points"] for factor in explained["factors"].values())
        assert points == pytest.approx(loudest["raw"], abs=1e-9)
        assert explained["factors"]["engagement"]["inputs"]["interactions"]
        assert explained["factors"]["reach"]["inputs"]["widest"][0]["id"] in {signal.id for signal in signals}
        assert explained["raises"][0]["points"] > 0
        assert explained["constants"]["half_life_ms"] == 7 * 24 * 3_600_000
        text = await hubbub(it, "explain", loudest["story"])
        assert "engagement" in text
        assert loudest["top"][0]["title"][:30] in text
        await hubbub(it, "explain", "no-such-story", code=1)
        await commands_are_carried_out(it, signals, scores, tmp_path)

        assert (await hubbub(it, "dead-letters")).strip() == "no dead letters"
        async with open_producer(it.options) as producer:
            await producer.send_and_wait(name("signals", it.kafka.topic_prefix), b"not a signal", b"k", 0)
        await until_dead(it)
        (letter,) = [json.loads(line) for line in (await hubbub(it, "dead-letters", "--json")).splitlines()]
        assert (letter["stage"], letter["reason"], letter["partition"]) == ("resolve", "not_json", 0)
        await dead_letters_are_published_again(it)

        assert [
            json.loads(line)["unverified"] for line in (await hubbub(it, "topics", "check", "--json")).splitlines()
        ] in ([], [True])
        findings = [json.loads(line) for line in (await hubbub(it, "doctor", "--no-platforms", "--json")).splitlines()]
        assert all(finding["ok"] is not False for finding in findings)
        assert any("score works on all 3 partitions" in finding["what"] for finding in findings)
        used = len(signals) + 2  # two came with the operator commands; and the dead one was published again
        told = f"{used + 2:,} = 2 dead + {used:,} used"
        assert any(told in finding["what"] for finding in findings)


async def commands_are_carried_out(
    it: House, signals: list[Signal], scores: list[dict[str, Any]], tmp_path: Path
) -> None:
    """With the next new post, two stories are merged, one is blocked and one is renamed."""
    into, gone, blocked = scores
    order = json.loads(await hubbub(it, "stories", "merge", gone["slug"], into["story"], "--json"))
    assert (order["kind"], order["subject"], order["into"]) == ("merge", gone["story"], into["story"])
    thread = next(top["id"] for top in into["top"] if any(signal.thread == top["id"] for signal in signals))
    given = [
        OperatorCommand("rename", into["story"], title="Two affairs that are one"),
        OperatorCommand("block", blocked["story"]),
        OperatorCommand("pin", thread, into["story"]),
    ]
    await operator_commands.publish(given, it.options, it.kafka.topic_prefix)
    kept = (await operator_commands.read_threads(it.options, it.kafka.topic_prefix)).commands[
        f"o:pin:{thread}".encode()
    ]
    assert b'"' in bytes(kept.features), "the words of the post, for the matcher to learn from"
    assert f"merge {gone['slug']} into {into['slug']}" in await hubbub(it, "stories", "list")

    later_ms = signals[-1].observed_ms + 60_000
    new, platform = "reddit:new", thread.partition(":")[0]
    post = replace(signals[0], id=new, kind="post", thread=new, platform="reddit", title="A parade of llamas", url=None)
    reply = replace(
        signals[0], id=f"{thread}-more", kind="reply", thread=thread, platform=platform, title=None, url=None
    )
    more = [
        replace(signal, created_ms=later_ms + number, observed_ms=later_ms + number)
        for number, signal in enumerate((post, reply))
    ]
    await it.replay(write_recording(tmp_path / "more.ndjson", more))
    left = await it.scores()
    assert left.keys().isdisjoint({gone["story"], blocked["story"]})
    assert left[into["story"]].title == "Two affairs that are one"
    items = [sum(share["items"] for share in score["platforms"].values()) for score in (into, gone)]
    assert sum(share.items for share in left[into["story"]].platforms.values()) == sum(items) + 1
    events = [json.loads(event or b"{}") for event in await it.records("noise-events")]
    merged = {event["story"]: event["into"] for event in events if event["type"] == "merged"}
    assert merged[gone["story"]] == into["story"]
    assert json.loads(await hubbub(it, "explain", gone["slug"], "--json"))["story"] == into["story"]


async def dead_letters_are_published_again(it: House) -> None:
    """A collector's dead letter, which came from no topic, is listed and left out."""
    words = "early\x1b[2J\x9b2J"
    of_collect = encode_dead_letter(
        stage="collect", collector="reddit", reason="bad_time", detail=words, at_ms=1, original=b"{}"
    )
    async with open_producer(it.options) as producer:
        await producer.send_and_wait(name("dead-letters", it.kafka.topic_prefix), of_collect)
    assert "2 dead letters: 1 resolve not_json, 1 collect bad_time" in await hubbub(it, "dead-letters")
    told = await hubbub(it, "dead-letters", "--stage", "resolve", "--replay")
    assert "1 records published again to where they came from: 1 resolve not_json\n" in told
    await until_dead(it, 2)
    since = told.split()[-2:]
    assert since[0] == "--since"
    (again,) = [json.loads(line) for line in (await hubbub(it, "dead-letters", "--json", *since)).splitlines()]
    assert again["stage"] == "resolve"
    letters = [json.loads(line) for line in (await hubbub(it, "dead-letters", "--json")).splitlines()]
    assert [letter["stage"] for letter in letters] == ["resolve", "collect", "resolve"]
    assert letters[0]["original_b64"] == letters[2]["original_b64"]
    assert letters[0]["offset"] < letters[2]["offset"]
    shown = await hubbub(it, "dead-letters")
    assert "early[2J" in shown, "text by an untrusted user"
    assert not {"\x1b", "\x9b"} & set(shown), "but no control characters"


async def until_dead(it: House, letters: int = 1) -> None:
    async with asyncio.timeout(20):
        while (await it.metrics("resolve")).get("hubbub_dead_letters_total", 0) < letters:
            await asyncio.sleep(0.2)
