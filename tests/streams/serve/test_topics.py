"""From real topics, filled by a real producer, to the API; and reading the ranking without a server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiokafka import AIOKafkaProducer

from hubbub.process.embedded_broker import EmbeddedBroker
from streams.serve.read import follow_scores, read_scores
from tests.conftest import Broker
from tests.streams.serve.conftest import make_topics, running
from tests.streams.serve.newsroom import Newsroom, encoded, event_record, score_record
from transport.reader import TopicMissingError

NOW_MS = 1_800_000_000_000


async def test_records_from_before_and_after_the_start_are_served(broker: Broker) -> None:
    await make_topics(broker.bootstrap_servers, broker.topic_prefix)
    room = Newsroom(2, NOW_MS, 60)
    async with running(broker.bootstrap_servers, broker.topic_prefix, wait=False) as first:
        for minutes in range(30, 0, -1):
            await first.publish_raw(room.records(NOW_MS - minutes * 60_000))
        last = {key.decode(): value for topic, key, value in room.records(NOW_MS) if topic == "noise-scores"}
        await first.publish_raw(("noise-scores", key.encode(), value) for key, value in last.items())

        async with running(broker.bootstrap_servers, broker.topic_prefix) as late:
            ranking = await late.get("/api/stories?limit=500")
            assert {one["score"]["story"] for one in ranking["stories"]} == set(last)
            assert all(len(one["trend"]) > 20 for one in ranking["stories"])
            assert (await late.get("/api/status"))["problems"] == []
            assert late.server.problems() == []

            async with late.http.ws_connect(late.url + "ws") as ws:
                await ws.receive_json()
                await late.publish(score_record("st_new", noise=99, band="uproar"), event_record("new_story", "st_new"))
                received: list[str] = []
                async with asyncio.timeout(5):
                    while not {"st_new", "new_story"} <= set(received):
                        update = await ws.receive_json()
                        received += [score["story"] for score in update.get("scores", [])]
                        received += [event["type"] for event in update.get("events", [])]
            await late.publish_raw([("noise-scores", b"st_new", None)])
            await late.until("/api/stories?limit=500", lambda answer: answer["total"] == len(last))

        same = await first.until("/api/stories?limit=500", lambda answer: answer["total"] == len(last))
        assert [one["score"] for one in same["stories"]] == [one["score"] for one in ranking["stories"]]


async def test_invalid_records_are_skipped_and_counted_and_the_next_is_read(broker: Broker) -> None:
    await make_topics(broker.bootstrap_servers, broker.topic_prefix)
    async with running(broker.bootstrap_servers, broker.topic_prefix) as served:
        key, value = encoded(score_record("st_1"))
        rubbish = [
            b"",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            value[:-1],
            value.replace(b"39.5", b"395"),
            b'{"v":' + b"[" * 100_000,
        ]
        await served.publish_raw(("noise-scores", key, one) for one in rubbish)
        await served.publish_raw(("noise-events", key, one) for one in rubbish)
        await served.publish_raw([("noise-scores", None, value), ("noise-scores", b"st_2", value)])
        await served.publish(score_record("st_3"), event_record("spike", "st_3"))
        await served.until("/api/stories", lambda answer: answer["total"] == 1)
        await served.until("/api/events", lambda answer: len(answer["events"]) == 1)
        topics = (await served.get("/api/status"))["topics"]
        assert sum(topics["noise-scores"]["skipped"].values()) == len(rubbish) + 2
        assert topics["noise-scores"]["skipped"]["wrong_key"] == 2
        assert sum(topics["noise-events"]["skipped"].values()) == len(rubbish)


async def test_missing_topics_are_waited_for_and_not_created(broker: Broker) -> None:
    async with running(broker.bootstrap_servers, broker.topic_prefix, wait=False) as served:
        status = await served.until(
            "/api/status", lambda answer: answer["topics"]["noise-scores"]["state"] == "no_topic"
        )
        assert "hubbub topics create" in status["problems"][0]
        with pytest.raises(TopicMissingError, match="hubbub topics create"):
            await read_scores(served.kafka, broker.topic_prefix)
        await make_topics(broker.bootstrap_servers, broker.topic_prefix)
        await served.publish(score_record())
        await served.until("/api/stories", lambda answer: answer["total"] == 1)
        await served.until("/api/status", lambda answer: answer["problems"] == [])


async def test_only_the_newest_events_are_read_back(broker: Broker) -> None:
    await make_topics(broker.bootstrap_servers, broker.topic_prefix)
    async with running(broker.bootstrap_servers, broker.topic_prefix) as before:
        for i in range(50):  # each in a batch of its own: with larger batches the embedded broker reports a wrong end
            await before.publish(event_record("spike", "st_1", NOW_MS + i))
    async with running(broker.bootstrap_servers, broker.topic_prefix, events_read_back=30) as served:
        answer = await served.get("/api/events")
        # The events of one story lie in one of three partitions. Each partition gives its share of the 30.
        assert [event["at_ms"] for event in answer["events"]] == [NOW_MS + i for i in range(49, 39, -1)]


async def test_the_ranking_is_read_to_its_end_and_then_followed(broker: Broker) -> None:
    await make_topics(broker.bootstrap_servers, broker.topic_prefix)
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    assert await read_scores(kafka, broker.topic_prefix) == {}
    async with AIOKafkaProducer(**kafka) as producer:

        async def send(story: str, value: bytes | None) -> None:
            await producer.send_and_wait(f"{broker.topic_prefix}noise-scores", value, key=story.encode())

        for i in range(40):
            await send(f"st_{i}", encoded(score_record(f"st_{i}", noise=i))[1])
        await send("st_0", encoded(score_record("st_0", noise=77))[1])
        await send("st_1", None)
        await send("st_2", b"rubbish")
        scores = await read_scores(kafka, broker.topic_prefix)
        assert {story: score.noise for story, score in scores.items()} == {
            "st_0": 77,
            **{f"st_{i}": i for i in range(2, 40)},
        }

        seen: dict[str, float | None] = {}
        async with aclosing(follow_scores(kafka, broker.topic_prefix)) as batches, asyncio.timeout(10):
            async for changes in batches:
                seen |= {story: None if score is None else score.noise for story, score in changes.scores.items()}
                if changes.caught_up and len(seen) == 40:
                    await send("st_new", encoded(score_record("st_new"))[1])
                if "st_new" in seen:
                    break
        assert (seen["st_0"], seen["st_1"], seen["st_2"]) == (77, None, 2), "an invalid record is left out"


@pytest.mark.broker
async def test_a_dead_broker_is_reported_and_one_that_comes_back_empty_is_read_again() -> None:
    async with EmbeddedBroker() as broker:
        await make_topics(broker.bootstrap_servers, "")
        async with running(broker.bootstrap_servers, "") as served:
            await served.publish(score_record("st_1"), score_record("st_2"))
            await served.until("/api/stories", lambda answer: answer["total"] == 2)
            await broker.stop()
            status = await served.until("/api/status", lambda answer: len(answer["problems"]) == 2, seconds=15)
            assert "does not answer" in status["problems"][0]
            assert (await served.get("/api/stories"))["total"] == 2  # the last scores are still served
            async with EmbeddedBroker(port=broker.port) as again:
                await make_topics(again.bootstrap_servers, "")
                await served.publish(score_record("st_2", noise=50, band="buzz"))
                await served.until("/api/stories", lambda answer: answer["total"] == 1, seconds=30)
                answer = await served.until("/api/status", lambda answer: answer["problems"] == [], seconds=15)
                assert answer["stories"] == 1
