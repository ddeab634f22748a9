"""The Bluesky collector over real sockets: what a beat wants, the threads of that, deletions, hosts that fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.batch import Cursor, Ignored, Signals
from ingest.errors import COLLECT_ERRORS
from ingest.platforms.bluesky.collector import BlueskyCollector
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.relevance import EVERYTHING, Relevance
from ingest.signal import Counts
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.bluesky.jetstream import (
    ALICE,
    BOB,
    CAROL,
    NOW_US,
    REPOSTS,
    TIME_CURSOR,
    BlueskySite,
    account,
    delete,
    identity,
    post,
    ref,
    reply,
    repost,
    v2,
)
from tests.ingest.sites import NOW_MS, Thing, status

FERRIES = Relevance(lambda post: "ferry" in f"{post.title} {post.text} {post.url}")
MINUTE_US = 60_000_000


@pytest.fixture
async def site() -> AsyncIterator[BlueskySite]:
    async with BlueskySite() as running:
        yield running


class Reader:
    """A collector that is polled as the loop does, and all that it has given."""

    def __init__(self, collector: BlueskyCollector, clock: FakeClock) -> None:
        self.collector, self.clock = collector, clock
        self.all = Signals()
        self.cursor: Cursor = b""
        self.errors: list[str] = []

    async def poll(self, times: int = 1) -> None:
        for _ in range(times):
            try:
                signals, self.cursor = await anext(self.collector)
            except COLLECT_ERRORS as error:
                self.errors.append(str(error))
            else:
                self.all.extend([signals])

    async def until(self, count: int) -> list[str]:
        """Poll until ``count`` items were read; return what was said of them, oldest first."""
        for _ in range(200):
            if self.all.read >= count:
                break
            await self.poll()
        assert self.all.read == count, (self.all, self.errors)
        return [str(signal.text) if not signal.deleted else f"-{signal.id}" for signal in self.all.signals]


@asynccontextmanager
async def reading(
    site: BlueskySite, cursor: Cursor | None = None, relevance: Relevance = FERRIES, **changes: object
) -> AsyncIterator[Reader]:
    clock = FakeClock()
    options: dict[str, object] = {
        "hosts": [site.url],
        "v1_hosts": [],
        "appview_url": site.url,
        "batch_seconds": 1,
        "save_seconds": 0.001,
        "reobserve_seconds": 1e6,
        "profiles_seconds": 1e6,
        "silence_seconds": 1e6,
        "stale_minutes": 1e6,
    }

    def now_ms() -> int:
        return NOW_MS + int((clock.now - 1_000) * 1_000)

    config = BlueskyConfig.model_validate(options | changes)
    collector = BlueskyCollector(config, cursor, context(now_ms, clock, relevance))
    try:
        yield Reader(collector, clock)
    finally:
        await collector.aclose()


async def test_what_a_beat_wants_is_published_with_its_thread_and_the_rest_is_counted(site: BlueskySite) -> None:
    quote = {"$type": "app.bsky.embed.record", "record": ref(f"{ALICE}/a")}
    site.happens(
        post(ALICE, "a", "The ferry is late"),
        post(ALICE, "b", "A cat"),
        reply(BOB, "c", f"{ALICE}/a", "Again?"),
        reply(BOB, "d", f"{ALICE}/b", "Cute"),
        repost(CAROL, "e", f"{ALICE}/a"),
        repost(CAROL, "f", f"{ALICE}/b"),
        repost(CAROL, "g", f"{BOB}/c"),
        post(CAROL, "h", "See this", embed=quote),
        reply(CAROL, "i", "did:web:other.example/x", "ferry"),
        identity(CAROL, "carol.example"),
    )
    async with reading(site, early_reply_seconds=5) as reader:
        said = await reader.until(6)
        assert said == ["The ferry is late", "Again?", "None", "None", "See this"]
        assert reader.all.signals[3].thread == f"bluesky:{ALICE}/a", "a repost of a reply is in the reply's thread"
        await reader.until(9)  # what waited for the root post of its thread has waited long enough
        assert reader.all.ignored == {Ignored.IRRELEVANT: 4}
        assert not reader.all.unreadable
    (asked,) = site.streams
    assert "kinds=commit&kinds=account&kinds=identity" in asked
    assert site.requests[0].headers["Sec-WebSocket-Protocol"] == "xrpc.v1.json"
    assert reader.errors == []


async def test_a_watch_on_everything_publishes_replies_to_posts_that_were_never_seen(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "A cat"), reply(BOB, "b", f"{CAROL}/old"), repost(BOB, "c", f"{CAROL}/old"))
    async with reading(site, relevance=EVERYTHING) as reader:
        await reader.until(3)
        assert [signal.thread.rpartition("/")[2] for signal in reader.all.signals] == ["a", "old", "old"]


async def test_replies_that_overtake_their_post_are_published_after_it(site: BlueskySite) -> None:
    site.happens(
        reply(BOB, "b", f"{ALICE}/a", "First!"),
        reply(CAROL, "c", f"{ALICE}/a", "Never mind"),
        repost(CAROL, "d", f"{ALICE}/a"),
        delete(CAROL, "c"),
        post(ALICE, "a", "The ferry is late"),
    )
    async with reading(site) as reader:
        assert await reader.until(4) == ["The ferry is late", "First!", "None"]


async def test_a_restart_reads_the_replies_again_that_were_waiting(site: BlueskySite) -> None:
    site.happens(post(ALICE, "x", "A ferry"), reply(BOB, "b", f"{ALICE}/a", "First!"), post(CAROL, "c", "A cat"))
    async with reading(site) as reader:
        await reader.until(2)
    site.happens(post(ALICE, "a", "The ferry is late"))
    async with reading(site, reader.cursor) as resumed:
        assert await resumed.until(3) == ["The ferry is late", "First!"]
    assert site.cursor() == 2


async def test_an_item_that_comes_again_is_published_once_and_an_edit_is_an_observation(site: BlueskySite) -> None:
    late = post(ALICE, "a", "The ferry is late")
    site.happens(late, late, reply(BOB, "b", f"{ALICE}/a", "Ah"), reply(BOB, "b", f"{ALICE}/a", "Ah"))
    site.happens(post(ALICE, "a", "It is here") | {"operation": "update"})
    async with reading(site) as reader:
        assert await reader.until(3) == ["The ferry is late", "Ah", "It is here"]


async def test_what_was_published_can_be_taken_back_also_after_a_restart(site: BlueskySite) -> None:
    site.happens(
        post(ALICE, "a", "The ferry is late"),
        reply(BOB, "b", f"{ALICE}/a"),
        repost(CAROL, "c", f"{ALICE}/a"),
        post(ALICE, "d", "A cat"),
    )
    async with reading(site) as reader:
        await reader.until(4)
    site.happens(delete(ALICE, "d"), delete(BOB, "b"), delete(CAROL, "c", REPOSTS), delete(ALICE, "a"))
    async with reading(site, reader.cursor) as resumed:
        await resumed.until(5)  # the first is the last event before the restart, which is counted again
        gone = [(signal.id[-1], signal.kind, signal.thread[-1], signal.text) for signal in resumed.all.signals]
        assert gone == [("b", "reply", "a", None), ("c", "repost", "a", None), ("a", "post", "a", None)]
        assert all(signal.deleted for signal in resumed.all.signals)
        assert resumed.all.ignored == {Ignored.DELETED: 1, Ignored.IRRELEVANT: 1}


@pytest.mark.parametrize("state", ["deleted", "takendown", "suspended", "deactivated"])
async def test_an_account_that_is_gone_takes_its_items_back(site: BlueskySite, state: str) -> None:
    site.happens(
        post(ALICE, "a", "The ferry is late"),
        reply(BOB, "b", f"{ALICE}/a", "Ah"),
        reply(ALICE, "c", f"{ALICE}/a", "Yes"),
        account(ALICE, active=True),
        account(CAROL, active=False, status=state),
        account(BOB, active=False, status="throttled"),
        account(ALICE, active=False, status=state),
    )
    async with reading(site) as reader:
        said = await reader.until(6)
        assert said[3:] == [f"-bluesky:{ALICE}/a", f"-bluesky:{ALICE}/c"]
        assert reader.all.ignored == {Ignored.DELETED: 1}


async def test_frames_that_are_no_events_hold_up_no_other(site: BlueskySite) -> None:
    surrogate = json.dumps(v2(post(CAROL, "x", "half a ferry \ud83d"), NOW_US, 9))
    empty = '{"$type": "message", "payload": {"$type": "x#commit"}}'
    site.instead = ["[", "7", '{"$type": "message"}', empty, surrogate]
    site.happens(post(ALICE, "a", "The ferry is late"))
    async with reading(site) as reader:
        assert await reader.until(5) == ["The ferry is late", "half a ferry ?"]
        assert {dead.reason for dead in reader.all.unreadable} == {"wrong_shape"}
        assert reader.errors == []


async def test_a_host_that_ends_the_stream_is_asked_again_from_the_last_event(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "A ferry"), post(ALICE, "b", "Two ferry boats"))
    site.instead = ['{"$type": "error", "error": "ConsumerTooSlow", "message": "bye"}']
    async with reading(site) as reader:
        await reader.until(2)
        await reader.poll(2)
        assert "ConsumerTooSlow" in reader.errors[0]
        site.happens(post(ALICE, "c", "A third ferry"))
        await reader.until(3)
    assert [site.cursor(0) >= TIME_CURSOR, site.cursor(1)] == [True, 2]


async def test_a_host_that_fails_twice_is_left_and_cursors_are_not_carried_over(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "A ferry"), at_us=NOW_US - 2 * MINUTE_US)
    async with BlueskySite(first_seq=9_000) as other:
        other.happens(post(ALICE, "a", "A ferry"), at_us=NOW_US - 2 * MINUTE_US)
        other.happens(post(BOB, "b", "Another ferry"), at_us=NOW_US - MINUTE_US)
        async with reading(site, hosts=[site.url, other.url]) as reader:
            await reader.until(1)
            await reader.poll(2)  # the author's profile is asked for
            site.next_answers.extend([status(503), status(400)])
            await reader.collector._listener._stream.aclose()
            assert await reader.until(2) == ["A ferry", "Another ferry"]
            assert len(reader.errors) == 2
        assert other.cursor() == NOW_US - 5 * MINUTE_US, "a time, less the margin"
        place = json.loads(reader.cursor)["place"]
        assert (place["host"], place["wire"], place["cursor"]) == (other.url, "v2", 9_001)


async def test_the_first_wire_is_read_where_the_second_fails(site: BlueskySite) -> None:
    async with BlueskySite() as old:
        old.happens(post(ALICE, "a", "A ferry"), reply(BOB, "b", f"{ALICE}/a"), delete(BOB, "b"))
        site.next_answers.extend([status(404), status(404)])
        async with reading(site, v1_hosts=[old.url]) as reader:
            assert (await reader.until(3))[2] == f"-bluesky:{BOB}/b"
        assert old.streams[0].startswith("/subscribe?wantedCollections=app.bsky.feed.post&")
        place = json.loads(reader.cursor)["place"]
        assert (place["wire"], place["cursor"]) == ("v1", old.events[-1][0])


async def test_a_host_that_is_not_in_the_settings_any_more_is_left_with_its_numbers(site: BlueskySite) -> None:
    place = {"host": "wss://gone.example", "wire": "v2", "cursor": 77, "at_us": NOW_US - MINUTE_US}
    async with reading(site, json.dumps({"place": place}).encode()) as reader:
        await reader.poll()
    assert site.cursor() == NOW_US - 4 * MINUTE_US


async def test_a_gap_is_counted_and_said(site: BlueskySite) -> None:
    place = {"host": site.url, "wire": "v2", "cursor": 77, "at_us": NOW_US - 3_000 * MINUTE_US}
    info: Thing = {
        "$type": "message",
        "payload": {"$type": "x#info", "name": "OutdatedCursor", "message": "resumed from 9"},
    }
    site.first = [info]
    site.happens(post(ALICE, "a", "A ferry"), at_us=NOW_US)
    async with reading(site, json.dumps({"place": place}).encode()) as reader:
        await reader.until(1)
    assert site.cursor() == NOW_US - 24 * 60 * MINUTE_US, "as far as it may catch up"
    assert reader.all.gaps == 2, "ours, and the host's"


async def test_counts_grow_and_a_post_that_the_platform_shows_no_more_is_taken_back(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "The ferry is late"), post(BOB, "b", "A ferry"))
    site.shows(ALICE, "a", "The ferry is late", likeCount=3, replyCount=0, repostCount=1, quoteCount=1)
    site.shows(BOB, "b", "A ferry", likeCount=1)
    async with reading(site, reobserve_seconds=300, batch_seconds=100) as reader:
        await reader.until(4)
        assert reader.all.signals[-2].counts == Counts(likes=3, replies=0, shares=2)
        del site.views[f"at://{BOB}/app.bsky.feed.post/b"]
        for _ in range(60):
            if any(signal.deleted for signal in reader.all.signals):
                break
            await reader.poll()
        taken_back = [signal.id for signal in reader.all.signals if signal.deleted]
        assert taken_back == [f"bluesky:{BOB}/b"]
        assert reader.collector.tracked_items == 1


async def test_an_appview_that_shows_nothing_at_all_takes_nothing_back(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "The ferry is late"), post(BOB, "b", "A ferry"))
    async with reading(site, reobserve_seconds=300, batch_seconds=100) as reader:
        await reader.poll(60)
        assert reader.all.read == 2
        assert reader.collector.tracked_items == 2


async def test_followers_and_names_come_with_later_observations(site: BlueskySite) -> None:
    site.happens(post(ALICE, "a", "The ferry is late"), reply(BOB, "b", f"{ALICE}/a"))
    site.profiles[ALICE] = {"did": ALICE, "handle": "alice.example", "followersCount": 40}
    site.profiles[BOB] = {"did": BOB, "handle": "bob.example", "followersCount": -1}
    async with reading(site, profiles_seconds=1) as reader:
        await reader.until(2)
        await reader.poll(2)
        site.happens(reply(ALICE, "c", f"{ALICE}/a"), identity(BOB, "bobby.example"), reply(BOB, "d", f"{ALICE}/a"))
        await reader.until(4)
        authors = [(signal.author.name, signal.author.followers) for signal in reader.all.signals if signal.author]
        assert authors == [(ALICE, None), (BOB, None), ("alice.example", 40), ("bobby.example", None)]


async def test_the_profiles_of_watched_accounts_are_known_from_the_start(site: BlueskySite) -> None:
    site.profiles["harbour.example"] = {"did": CAROL, "handle": "harbour.example", "followersCount": 7}
    by_name = Relevance(
        lambda post: post.author is not None and post.author.name == "harbour.example", ("harbour.example", "Harbour")
    )
    async with reading(site, relevance=by_name, profiles_seconds=10) as reader:
        await reader.poll(2)
        site.happens(post(CAROL, "a", "Closed today"))
        assert await reader.until(1) == ["Closed today"]
    (asked,) = [request.query.getall("actors") for request in site.requests if "getProfiles" in request.path]
    assert asked == ["harbour.example"], "a name without a dot is of another platform"


async def test_a_poll_that_is_cancelled_loses_nothing(site: BlueskySite) -> None:
    site.happens(*(post(ALICE, f"a{number}", f"ferry {number}") for number in range(200)))
    async with reading(site, batch_max_items=10) as reader:
        for _ in range(5):
            polling = asyncio.create_task(anext(reader.collector))
            await asyncio.sleep(0)
            polling.cancel()
            (outcome,) = await asyncio.gather(polling, return_exceptions=True)
            if not isinstance(outcome, BaseException):
                reader.all.extend([outcome.signals])
        assert await reader.until(200) == [f"ferry {number}" for number in range(200)]
