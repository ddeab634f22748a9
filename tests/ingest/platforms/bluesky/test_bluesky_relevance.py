"""Nothing is left out at the source that resolve would have used.

The same events go two ways. One collector publishes all of them, and resolve's own router sorts them by a beat. Another
leaves out what the beat does not want. All that the router used, the other one must have published.
"""

from __future__ import annotations

import json
import random

from ingest import signal
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.hosts import Place
from ingest.platforms.bluesky.listener import Heard
from ingest.platforms.bluesky.profiles import Profiles
from ingest.platforms.bluesky.published import Published
from ingest.platforms.bluesky.selection import Selection
from ingest.platforms.bluesky.wire import Wire, read
from ingest.relevance import EVERYTHING, Relevance
from ingest.signal import Signal
from streams.records import encode
from streams.records.stories import STORY_KEY, Assignment, StoryInfo, ThreadRecord
from streams.resolve.matching.beats import Beat, relevant_beats
from streams.resolve.route import Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.ingest.platforms.bluesky.jetstream import ALICE, BOB, CAROL, NOW_US, delete, post, ref, reply, repost, v1
from tests.ingest.sites import NOW_MS, Thing

BEATS = {
    "ferries": Beat(name="ferries", keywords=("ferry", "渡轮"), exact=("MV",), domains=("harbour.example",)),
    "crew": Beat(name="crew", accounts=(CAROL,), phrases=("all hands",), languages=("en", "pt")),
}
TEXTS = (
    "The FERRY is late",
    "ferryman",
    "A cat",
    "新渡轮",
    "the mv",
    "the MV",
    "All hands!",
    "",
    "see harbour.example",
)
LINKS = (None, "https://www.harbour.example/a", "https://notharbour.example/a", "https://x.example/ferry-late")
PEOPLE = (ALICE, BOB, CAROL)
WAIT_MS = 60_000
Said = tuple[str, str | None, bool]
"""What an observation says: id, text, whether it was taken back."""


def said(one: Signal) -> Said:
    return one.id, one.text, one.deleted


def happening(rng: random.Random) -> list[tuple[int, Thing]]:
    """What happens on a small network: each with the time that has passed since the one before, in ms."""
    happened = []
    for number in range(rng.randint(1, 25)):
        who, pause_ms = rng.choice(PEOPLE), rng.choice((0, 1, 20_000, 59_999, 60_000, 60_001))
        target, rkey = f"{rng.choice(PEOPLE)}/{rng.randint(0, 6)}", str(rng.randint(0, 6))
        text, langs = rng.choice(TEXTS), rng.choice((["en"], ["pt-BR"], ["de"], []))
        match rng.choice(("post", "post", "reply", "reply", "repost", "quote", "edit", "delete")):
            case "reply":
                one = reply(who, f"r{number}", target, text, langs=langs)
            case "repost":
                one = repost(who, f"p{number}", target)
            case "quote":
                one = post(who, f"q{number}", text, embed={"$type": "app.bsky.embed.record", "record": ref(target)})
            case "delete":
                one = delete(who, rkey)
            case kind:
                link, title = rng.choice(LINKS), rng.choice(TEXTS)
                card: Thing = {} if link is None else {"embed": {"external": {"uri": link, "title": title}}}
                one = post(who, rkey, text, langs=langs, **card)
                one |= {"operation": "update"} if kind == "edit" else {}
        happened.append((pause_ms, one))
    return happened


def published(happened: list[tuple[int, Thing]], relevance: Relevance) -> list[Signal]:
    """Return what a collector publishes of the events."""
    config = BlueskyConfig()
    selection = Selection(config, relevance, Published(1_000, 1_000), Profiles(1, lambda: NOW_MS))
    signals, now_ms = [], NOW_MS
    for number, (pause_ms, one) in enumerate(happened):
        now_ms += pause_ms
        data = json.dumps(v1(one, NOW_US)).encode()
        event = read(Wire.V1, data)
        assert event is not None
        became = selection.take(Heard(event, data, now_ms, Place("", Wire.V1, number, NOW_US)))
        assert became.unreadable == []
        signals += became.signals
        selection.drop_late(now_ms)
    return signals


def used(signals: list[Signal]) -> set[Said]:
    """Return which signals resolve uses, when each relevant post gets a story of its own."""
    threads = ThreadIndex()
    router = Router(lambda one: relevant_beats(BEATS, one), threads, RouterConfig(orphan_wait_ms=WAIT_MS))
    found: set[Said] = set()
    for offset, one in enumerate(signals):
        router.read(offset, signal.encode(one), one, 0.0)
        batch = router.take_batch()
        for beats, entry in batch.candidates:
            thread = signal.decode(bytes(entry.signal)).thread
            if beats:
                threads.apply(STORY_KEY + thread.encode(), encode(StoryInfo(thread, thread, thread, beats[0], 0)))
                assignments = (Assignment(thread, beats[0], "new"),)
                threads.note_decision(ThreadRecord(thread, offset, entry.at_ms, assignments))
            else:  # its headline is taken from the story
                threads.withdrawn.add(thread)
            router.decided(thread)
        for entries in (*batch.stories.values(), *router.take_batch().stories.values()):
            decoded = (signal.decode(bytes(entry.signal)) for entry in entries)
            found |= set(map(said, decoded))
    return found


def test_all_that_resolve_uses_is_published() -> None:
    wants = Relevance(lambda one: bool(relevant_beats(BEATS, one)))
    kept, left_out = 0, 0
    for seed in range(500):
        happened = happening(random.Random(seed))
        everything, chosen = published(happened, EVERYTHING), published(happened, wants)
        needed, given = used(everything), set(map(said, chosen))
        assert needed <= given, (seed, needed - given)
        assert needed <= used(chosen), (seed, "too late for resolve")
        kept, left_out = kept + len(needed), left_out + len(everything) - len(chosen)
    assert kept > 500
    assert left_out > 500


def test_the_choice_leaves_something_out_and_keeps_something() -> None:
    happened = [(0, post(ALICE, "1", "A cat")), (0, post(BOB, "1", "The ferry")), (0, reply(CAROL, "2", f"{ALICE}/1"))]
    wants = Relevance(lambda one: bool(relevant_beats(BEATS, one)))
    assert [one.id for one in published(happened, wants)] == [f"bluesky:{BOB}/1"]
    assert len(published(happened, EVERYTHING)) == 3
    assert used(published(happened, EVERYTHING)) == {(f"bluesky:{BOB}/1", "The ferry", False)}
