"""Bluesky's records, as clients write them, and what becomes of them."""

from __future__ import annotations

import doctest

import pytest

from ingest import signal
from ingest.platforms.bluesky import addresses, rich_text
from ingest.platforms.bluesky.convert import convert, convert_view, deletion
from ingest.platforms.bluesky.known import Known, Profile
from ingest.signal import Author, Counts, Signal
from tests.ingest.platforms.bluesky.jetstream import (
    ALICE,
    BOB,
    NOW_US,
    POSTS,
    commit,
    iso,
    post,
    ref,
    reply,
    repost,
    uri,
    v1,
    v2,
)
from tests.ingest.sites import NOW_MS, Thing

SEEN_US = NOW_US - 60_000_000
SEEN_MS = NOW_MS - 60_000


def converted(happened: Thing, **more: object) -> Signal:
    """Return the one signal of an event, which is the same on both wires, and which readers accept."""
    became = convert(v1(happened, SEEN_US), NOW_MS, **more)  # type: ignore[arg-type]
    assert became.unreadable == []
    (found,) = became.signals
    assert convert(v2(happened, SEEN_US, 7)["payload"], NOW_MS, **more).signals == [found]  # type: ignore[arg-type]
    assert signal.decode(signal.encode(found), NOW_MS) == found
    return found


def refused(happened: Thing) -> str:
    (dead,) = convert(v1(happened, SEEN_US), NOW_MS).unreadable
    return dead.reason


def test_a_post_with_a_card() -> None:
    embed = {
        "$type": "app.bsky.embed.external",
        "external": {"uri": "https://a.example/b", "title": "A headline", "description": "More", "thumb": {}},
    }
    found = converted(post(ALICE, "3mmoojp4cd223", "Look!", embed=embed, langs=["pt-BR", "en"]))
    assert found == Signal(
        id=f"bluesky:{ALICE}/3mmoojp4cd223",
        kind="post",
        platform="bluesky",
        thread=f"bluesky:{ALICE}/3mmoojp4cd223",
        author=Author(name=ALICE),
        title="A headline",
        text="Look!",
        url="https://a.example/b",
        permalink=f"https://bsky.app/profile/{ALICE}/post/3mmoojp4cd223",
        lang="pt-BR",
        created_ms=SEEN_MS,
        observed_ms=NOW_MS,
    )


def test_an_author_whose_profile_is_known() -> None:
    found = converted(post(ALICE, "a"), author=Profile("alice.example", 12))
    assert found.author == Author(name="alice.example", followers=12)


def test_a_reply_is_in_the_thread_of_its_root_and_a_repost_in_that_of_its_post() -> None:
    answer = converted(reply(BOB, "b", f"{ALICE}/a"))
    assert (answer.kind, answer.thread) == ("reply", f"bluesky:{ALICE}/a")
    passed_on = converted(repost(BOB, "c", f"{ALICE}/a"))
    assert (passed_on.kind, passed_on.thread, passed_on.text) == ("repost", f"bluesky:{ALICE}/a", None)
    of_a_reply = converted(repost(ALICE, "d", f"{BOB}/b"), thread=f"bluesky:{ALICE}/a")
    assert of_a_reply.thread == f"bluesky:{ALICE}/a"


@pytest.mark.parametrize("with_media", [False, True])
def test_a_quote_is_a_post_of_its_own_that_links_to_the_quoted_one(*, with_media: bool) -> None:
    embed: Thing = {"$type": "app.bsky.embed.record", "record": ref(f"{ALICE}/a")}
    if with_media:
        embed = {"$type": "app.bsky.embed.recordWithMedia", "record": embed, "media": {"images": [{"alt": ""}]}}
    found = converted(post(BOB, "b", "This!", embed=embed))
    assert (found.kind, found.thread) == ("post", f"bluesky:{BOB}/b")
    assert found.url == f"https://bsky.app/profile/{ALICE}/post/a"


def test_links_in_the_text_are_whole() -> None:
    text = "← read a.example/long… or this"
    facets = [link(9, 26, "https://a.example/long/address"), link(30, 34, "https://b.example/")]
    found = converted(post(ALICE, "a", text, facets=facets))
    assert found.text == "← read https://a.example/long/address or this (https://b.example/)"
    assert found.url == "https://a.example/long/address"


def link(start: int, end: int, address: str) -> Thing:
    features = [{"$type": "app.bsky.richtext.facet#link", "uri": address}]
    return {"index": {"byteStart": start, "byteEnd": end}, "features": features}


@pytest.mark.parametrize(
    "facets",
    [
        [link(0, 99, "https://a.example/")],
        [link(-1, 2, "https://a.example/")],
        [link(1, 4, "https://a.example/")],  # it begins inside of a character
        [link(4, 2, "https://a.example/")],
        [link(0, 3, "javascript:alert(1)")],
        [link(0, 3, "https://" + "a" * 5_000)],
        [{"index": None, "features": 7}],
        "facets",
    ],
)
def test_odd_facets_change_no_text(facets: object) -> None:
    assert converted(post(ALICE, "a", "← here", facets=facets)).text == "← here"


@pytest.mark.parametrize("embed", [7, "x", [], {"record": "x"}, {"external": {"uri": 3}}, {"media": {"external": 1}}])
def test_an_odd_embed_leaves_a_post(embed: object) -> None:
    assert converted(post(ALICE, "a", embed=embed)).url is None


@pytest.mark.parametrize(
    ("claim", "created_ms"),
    [
        ("2019-05-04T03:02:01.000Z", 1_556_938_921_000),  # an import
        ("2019-05-04T03:02:01", 1_556_938_921_000),  # without a zone
        ("2019-05-04T05:02:01+02:00", 1_556_938_921_000),
        ("2019-05-04T03:02:01.123456789Z", 1_556_938_921_123),
        ("2099-01-01T00:00:00.000Z", SEEN_MS),
        (iso(NOW_US - 59_000_000), SEEN_MS),  # a second after the network saw it
        ("0001-01-01T00:00:00+14:00", signal.EARLIEST_MS),
        ("1970-01-01T00:00:00Z", signal.EARLIEST_MS),
        ("yesterday", SEEN_MS),
        ("", SEEN_MS),
        (None, SEEN_MS),
        (1_704_210_000, SEEN_MS),
    ],
)
def test_a_time_is_that_of_the_client_but_no_later_than_the_network_saw_it(claim: object, created_ms: int) -> None:
    found = converted(commit(ALICE, "a", {"$type": POSTS, "text": "Well.", "createdAt": claim}))
    assert found.created_ms == created_ms


def test_a_host_whose_clock_is_ahead_moves_no_post_into_the_future() -> None:
    (found,) = convert(v1(post(ALICE, "a", createdAt="2099-01-01T00:00:00Z"), NOW_US + 9_000_000), NOW_MS).signals
    assert found.created_ms == NOW_MS


@pytest.mark.parametrize(
    "happened",
    [
        reply(ALICE, "a", f"{ALICE}/a"),
        repost(ALICE, "a", f"{ALICE}/a"),
        commit(ALICE, "a", {"text": 7}),
        commit(ALICE, "a", None),
        commit(ALICE, "a", {"text": "x"}, "app.bsky.feed.like"),
        post(ALICE, "a", reply={"root": {"uri": "at://alice.example/app.bsky.feed.post/a"}}),
        post(ALICE, "a", reply={"root": None}),
    ],
)
def test_an_item_that_makes_no_sense_is_a_dead_letter(happened: Thing) -> None:
    assert refused(happened) == "wrong_shape"


def test_counts_as_the_appview_has_them() -> None:
    view: Thing = {
        "uri": uri(ALICE, "a"),
        "author": {"did": ALICE, "handle": "alice.example"},
        "record": {"text": "Well.", "createdAt": iso(NOW_US)},
        "indexedAt": iso(SEEN_US),
        "likeCount": 5,
        "replyCount": 0,
        "repostCount": 2,
        "quoteCount": 1,
    }
    (found,) = convert_view(view, NOW_MS, 40).signals
    assert found.counts == Counts(likes=5, replies=0, shares=3)
    assert found.author == Author(name="alice.example", followers=40)
    assert (found.id, found.created_ms, found.observed_ms) == (f"bluesky:{ALICE}/a", SEEN_MS, NOW_MS)
    for key in ("likeCount", "replyCount", "repostCount", "quoteCount", "indexedAt"):
        del view[key]
    assert convert_view(view, NOW_MS).signals[0].counts == Counts()
    (dead,) = convert_view(view | {"uri": uri(BOB, "a")}, NOW_MS).unreadable
    assert dead.reason == "wrong_shape"


def test_a_deletion_says_nothing_but_that() -> None:
    known = Known(f"bluesky:{BOB}/3mmoojp4cd223", "reply", f"bluesky:{ALICE}/a", None)
    gone = deletion(known, 1_779_719_010_000)
    assert (gone.kind, gone.thread, gone.deleted, gone.text, gone.author) == ("reply", known.thread, True, None, None)
    assert gone.created_ms == 1_779_719_008_756, "the time in its key"
    assert deletion(known._replace(created_ms=5_000), NOW_MS).created_ms == signal.EARLIEST_MS
    assert deletion(known._replace(id=f"bluesky:{BOB}/self"), NOW_MS).created_ms == NOW_MS


def test_the_examples_in_the_documentation() -> None:
    assert doctest.testmod(addresses).failed == 0
    assert doctest.testmod(rich_text).failed == 0
