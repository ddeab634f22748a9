"""``hubbub skip``: a role that stops at a record names its place, and goes on once that record is skipped."""

from __future__ import annotations

import asyncio

import pytest

from hubbub.operate import dead_letters, topic_setup
from hubbub.process.exit_reason import first_cause, in_one_line
from ingest.signal import Signal, encode, key
from streams.records import encode as encode_record
from streams.records.skipped import skipped_key
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import StoryInfo, decode_thread
from streams.records.story_activity import MergeOut, Merging
from streams.resolve.config import ResolveConfig
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher
from streams.resolve.matching.story import ParsedPost
from streams.resolve.worker import Resolver
from tests.conftest import Broker
from tests.eventually import eventually
from tests.streams.examples.signals import START_MS, root
from transport.errors import UserError
from transport.fencing import LeaseLostError
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

STORY = StoryInfo("st_a", "a", "a", "general", START_MS)
MERGE = encode_record(MergeOut(SourceWatermark(0, 1, 1), Merging(1, 0, 0, STORY, STORY)))


class PickyMatcher(Matcher):
    """A matcher with a defect that one post meets."""

    def read(self, post: Signal) -> ParsedPost:
        if post.id == "x:matched":
            raise RuntimeError("a defect of the matcher")
        return super().read(post)


class Topics:
    """The topics of one test."""

    def __init__(self, broker: Broker) -> None:
        self.kafka: dict[str, object] = {"bootstrap_servers": broker.bootstrap_servers}
        self.prefix = broker.topic_prefix

    async def send(self, topic: str, value: bytes, key: bytes | None = b"junk") -> None:
        async with open_producer(self.kafka) as producer:
            await producer.send_and_wait(name(topic, self.prefix), value, key, 0)

    async def read(self, topic: str) -> dict[bytes | None, bytes | None]:
        async with TopicReader(name(topic, self.prefix), self.kafka) as reader:
            return {record.key: record.value for record in await reader.read_to_end()}

    async def skip(self, place: str) -> None:
        await dead_letters.skip(place, self.kafka, self.prefix)


@pytest.fixture
async def topics(broker: Broker) -> Topics:
    made = Topics(broker)
    await topic_setup.create(made.kafka, made.prefix, 1, 1)
    return made


async def resolve_until_decided(topics: Topics, thread: str) -> str:
    """Run resolve until it has decided on ``thread``; return "", or the place that its last line says to skip."""
    stop = asyncio.Event()
    resolver = Resolver(
        kafka=topics.kafka,
        prefix=topics.prefix,
        config=ResolveConfig(session_seconds=1.0),
        beats={"general": load_beat("general")},
        now_ms=lambda: START_MS + 60_000,
        make_matcher=PickyMatcher,
    )
    running = asyncio.create_task(resolver.run(stop))

    async def decided() -> bool:
        return running.done() or f"t:{thread}".encode() in await topics.read("stories")

    await eventually(decided, within_seconds=30)
    stop.set()
    try:
        await running
    except Exception as error:
        if isinstance(first_cause(error), LeaseLostError):  # a busy machine; `up` would start it again
            return await resolve_until_decided(topics, thread)
        place = in_one_line(first_cause(error)).partition("; to go on without it: hubbub skip ")[2]
        if not place:
            raise
        return place
    return ""


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)  # one is enough, since roles take seconds to start
async def test_resolve_names_each_record_that_stops_it_and_goes_on_without_those_that_are_skipped(
    topics: Topics,
) -> None:
    for post in (root("x:a", 0), root("x:matched", 1), root("x:b", 2)):
        await topics.send("signals", encode(post), key(post))
    await topics.send("progress", b"junk")
    await topics.send("candidates", b"[" * 2_000)

    skipped: list[str] = []
    while (stopped_at := await resolve_until_decided(topics, "x:b")) != "":
        assert len(skipped) < 3
        skipped.append(stopped_at)
        await topics.skip(stopped_at)
    places = [place.removeprefix(topics.prefix) for place in skipped]
    assert places[:2] == ["progress:0:0", "candidates:0:0"]
    assert places[2].startswith("candidates:0:")  # the post that the matcher refuses

    stories = await topics.read("stories")
    decisions = {thread: decode_thread(stories[f"t:x:{thread}".encode()] or b"") for thread in ("a", "matched", "b")}
    assert {thread: len(one.assignments) for thread, one in decisions.items()} == {"a": 1, "matched": 0, "b": 1}
    letters = await dead_letters.read(topics.kafka, topics.prefix, stage="skip")
    assert [f"{letter.topic}:{letter.partition}:{letter.offset}" for letter in letters] == skipped
    assert [letter.original for letter in letters[:2]] == [b"junk", b"[" * 2_000]
    done = await dead_letters.redrive(letters, topics.kafka)
    assert done.published == (), "they would stop resolve again"


async def test_a_skip_is_noted_where_the_reader_of_the_record_restores_its_memory(topics: Topics) -> None:
    await topics.send("story-activity", b"junk")
    await topics.skip(f"{topics.prefix}story-activity:0:0")
    noted = await topics.read("hubbub-score-ledgers-changelog")
    assert noted == {skipped_key("story-activity", 0, 0): b""}


@pytest.mark.parametrize(("topic", "value"), [("stories", b"junk"), ("cursors", b"junk"), ("story-activity", MERGE)])
async def test_a_record_without_which_all_that_follows_would_be_wrong_is_not_skipped(
    topics: Topics, topic: str, value: bytes
) -> None:
    await topics.send(topic, value)
    with pytest.raises(UserError, match=f"{topic} would be wrong; see 'Junk in an internal topic' in docs/"):
        await topics.skip(f"{topic}:0:0")
    assert await topics.read("dead-letters") == {}


@pytest.mark.parametrize("place", ["signals", "signals:0", "signals:0:x", "signals:0:-1", "nonsense:0:1", "a:b:c:d"])
async def test_what_is_no_place_is_one_clear_line(topics: Topics, place: str) -> None:
    with pytest.raises(UserError, match="is not TOPIC:PARTITION:OFFSET; an example is signals:0:1234"):
        await topics.skip(place)


@pytest.mark.parametrize("place", ["signals:0:0", "signals:7:0"])
async def test_a_place_without_a_record_is_one_clear_line(topics: Topics, place: str) -> None:
    with pytest.raises(UserError, match=f"there is no record at {place}; take the place from the log line"):
        await topics.skip(place)
