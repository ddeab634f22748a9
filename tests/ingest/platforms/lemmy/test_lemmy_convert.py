"""Lemmy's views, of both versions of its API, and what becomes of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import signal
from ingest.batch import Signals
from ingest.platforms.lemmy import views
from ingest.platforms.lemmy.convert import Facts, convert, signal_id
from ingest.signal import Author, Community, Counts
from tests.ingest.platforms.lemmy.lemmy_site import HOST, as_v4, comment_view, post_view
from tests.ingest.sites import CREATED_S, NOW_MS, Thing

FACTS = Facts(languages={37: "en"}, members={f"technology@{HOST}": 500})


def only(signals: Signals, now_ms: int = NOW_MS) -> signal.Signal:
    (found,) = signals.signals
    assert signals.read == 1
    assert signal.decode(signal.encode(found), now_ms) == found
    return found


@pytest.mark.parametrize("view", [post_view(7), as_v4(post_view(7))], ids=["v3", "v4"])
def test_post(view: Thing) -> None:
    post = only(convert(view, NOW_MS, FACTS))
    assert (post.id, post.kind, post.thread) == (f"lemmy:{HOST}/post/7", "post", f"lemmy:{HOST}/post/7")
    assert post.author == Author(name=f"alice@{HOST}")
    assert post.community == Community(name=f"technology@{HOST}", members=500)
    assert (post.title, post.text, post.url) == ("Post 7", "Text", "https://example.org/7")
    assert (post.permalink, post.lang) == (f"https://{HOST}/post/7", "en")
    assert post.counts == Counts(likes=9, replies=2, like_ratio=0.9)
    assert (post.created_ms, post.observed_ms, post.deleted) == ((CREATED_S + 7) * 1000, NOW_MS, False)


@pytest.mark.parametrize("version", [3, 4])
def test_comment(version: int) -> None:
    view = comment_view(8, post_view(7))
    reply = only(convert(view if version == 3 else as_v4(view), NOW_MS, FACTS))
    assert (reply.id, reply.kind, reply.thread) == (f"lemmy:{HOST}/comment/8", "reply", f"lemmy:{HOST}/post/7")
    assert (reply.author, reply.text, reply.title, reply.url) == (Author(name="bob@other.example"), "Well.", None, None)
    assert reply.counts == Counts(likes=1, like_ratio=1.0)
    assert reply.lang is None


@pytest.mark.parametrize("flag", ["deleted", "removed"])
def test_what_was_taken_back_has_counts_and_no_words(flag: str) -> None:
    post = only(convert({**post_view(7), "post": post_view(7)["post"] | {flag: True}}, NOW_MS))  # type: ignore[operator]
    assert (post.deleted, post.title, post.text, post.url, post.author) == (True, None, None, None, None)
    assert post.counts.likes == 9
    reply = only(convert(comment_view(8, post_view(7), **{flag: True}), NOW_MS))
    assert (reply.deleted, reply.text, reply.author) == (True, None, None)


def test_one_post_has_one_id_whichever_instance_shows_it() -> None:
    here = only(convert(post_view(7), NOW_MS))
    there = only(convert(post_view(7) | {"post": post_view(7)["post"] | {"id": 99_001}}, NOW_MS))  # type: ignore[operator]
    assert here.id == there.id


@pytest.mark.parametrize(
    ("address", "native"),
    [
        ("https://Lemmy.World/post/7", "lemmy.world/post/7"),
        ("http://lemmy.world/post/7", "lemmy.world/post/7"),
        ("https://mastodon.example/users/é/statuses/1", "mastodon.example/users/%C3%A9/statuses/1"),
        ("https://blog.example/?p=123", "blog.example/?p=123"),
        ("https://blog.example/a b\n", "blog.example/a%20b%0A"),
    ],
)
def test_ids_of_other_software_are_printable(address: str, native: str) -> None:
    assert signal_id(address) == f"lemmy:{native}"


def test_a_long_address_becomes_a_digest() -> None:
    ids = {signal_id(f"https://a.example/{'x' * 2_000}{end}") for end in "ab"}
    assert len(ids) == 2
    assert all(len(id_) < signal.MAX_ID_CHARS for id_ in ids)


def test_a_time_without_a_zone_is_utc() -> None:
    assert only(convert(post_view(7, published="2024-01-02T15:40:07.5"), NOW_MS)).created_ms == CREATED_S * 1000 + 7_500


def test_a_time_ahead_is_clamped_and_an_old_one_is_kept() -> None:
    assert only(convert(post_view(7, published="2099-01-01T00:00:00Z"), NOW_MS)).created_ms == NOW_MS
    assert only(convert(post_view(7, published="2019-06-01T00:00:00Z"), NOW_MS)).created_ms == 1_559_347_200_000


def test_without_down_votes_the_ratio_is_unknown() -> None:
    assert only(convert(post_view(7), NOW_MS, Facts(down_votes=False))).counts == Counts(likes=9, replies=2)


def test_an_unknown_size_is_none_and_a_negative_score_is_0() -> None:
    post = only(convert(post_view(7, counts={"upvotes": None, "score": -3}), NOW_MS))
    assert post.community == Community(name=f"technology@{HOST}", members=None)
    assert post.counts == Counts(likes=0, replies=2)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"post": {}},
        post_view(7, published=None),
        post_view(7, published="yesterday"),
        post_view(7, ap_id="7"),
        post_view(7, ap_id="ftp://a.example/7"),
        post_view(7, counts={"upvotes": "9"}),
        comment_view(8, {"post": {}, "community": None}),
    ],
    ids=str,
)
def test_unreadable_with_its_original(raw: object) -> None:
    signals = convert(raw, NOW_MS)
    (letter,) = signals.unreadable
    assert (letter.reason, signals.read) == ("wrong_shape", 1)
    assert letter.original


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.sampled_from(["post", "comment", "creator", "community", "counts"]), JSON)
def test_whatever_is_in_a_view_it_ends_somewhere(part: str, value: object) -> None:
    view = comment_view(8, post_view(7)) | {part: value}
    assert convert(view, NOW_MS).read == 1
    assert len(views.key(view)) <= 16
    assert views.created_ms(view) is not None
    views.stands_out(view, NOW_MS), views.is_post_gone(view), views.post_number(view)
