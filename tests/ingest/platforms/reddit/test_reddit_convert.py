"""Reddit's things, as recorded and as feared, and what becomes of them."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import signal
from ingest.batch import Ignored, Signals
from ingest.platforms.reddit.convert import convert
from ingest.signal import Author, Community, Counts
from tests.ingest.sites import CREATED_S, NOW_MS, comment, submission

RECORDED_MS = 1_790_000_000_000
"""Later than every recording."""


def only(signals: Signals, now_ms: int = NOW_MS) -> signal.Signal:
    (found,) = signals.signals
    assert signals.read == 1
    assert signal.decode(signal.encode(found), now_ms) == found
    return found


@cache
def recorded_things(wire: Path) -> list[dict[str, object]]:
    """Return every t1 and t3 in the recorded sessions of PRAW."""
    things: list[dict[str, object]] = []
    with tarfile.open(wire) as tar:
        for member in tar:
            if not member.name.endswith(".json") or (file := tar.extractfile(member)) is None:
                continue
            for interaction in json.load(file)["interactions"]:
                try:
                    answer = json.loads(interaction["response"]["body"].get("string", ""))
                except ValueError:
                    continue
                things += things_in(answer)
    return things


def things_in(answer: object) -> Iterator[dict[str, object]]:
    if isinstance(answer, dict):
        data = answer.get("data")
        # Things of a live thread or a moderators' log share the dead letters, but not the form.
        if answer.get("kind") in {"t1", "t3"} and isinstance(data, dict) and "created_utc" in data:
            yield answer
        for value in answer.values():
            yield from things_in(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from things_in(value)


def test_every_recorded_thing_becomes_a_signal(shared: Path) -> None:
    wire = shared / "wire" / "reddit-praw.tar.xz"
    if not wire.is_file():
        pytest.skip("needs the recordings of ../shared/data/wire")
    things = recorded_things(wire)
    assert len(things) > 10_000
    unreadable: Counter[str] = Counter()
    deletions = 0
    for thing in things:
        signals = convert(thing, RECORDED_MS, published=True)
        if signals.unreadable:
            unreadable[signals.unreadable[0].detail] += 1
            continue
        if signals.ignored:
            assert signals.ignored == {Ignored.ADVERT: 1}
            continue
        (found,) = signals.signals
        signal.check(found, RECORDED_MS)
        data = thing["data"]
        assert isinstance(data, dict)
        assert found.id == f"reddit:{data['name']}"
        assert found.created_ms == data["created_utc"] * 1000
        assert found.thread == f"reddit:{data['link_id'] if thing['kind'] == 't1' else data['name']}"
        if not data.get("score_hidden") and "score" in data:
            assert found.counts.likes == max(0, data["score"])
        assert found.counts.replies == (data["num_comments"] if thing["kind"] == "t3" else None)
        assert (found.author is None) == (found.deleted or data["author"] == "[deleted]")
        words = (data.get("title"), data.get("selftext"), data.get("body"))
        gone = {"[deleted]", "[removed]", "[deleted by user]", "[ Removed by Reddit ]"}.intersection(words)
        assert found.deleted == bool(gone or data.get("removed_by_category"))
        deletions += found.deleted
    assert deletions > 10
    # Messages in an inbox are t1 without a link; a collector never reads an inbox.
    assert set(unreadable) <= {"Object missing required field `link_id`"}, unreadable
    assert unreadable.total() < len(things) / 10


def test_submission() -> None:
    post = only(convert(submission(7), NOW_MS))
    assert (post.id, post.kind, post.thread) == ("reddit:t3_00007", "post", "reddit:t3_00007")
    assert post.author == Author(name="somebody")
    assert post.community == Community(name="test", members=1000)
    assert post.counts == Counts(likes=10, replies=2, like_ratio=0.9)
    assert post.url == "https://example.org/7"
    assert post.permalink == "https://www.reddit.com/r/test/comments/00007/post/"
    assert (post.created_ms, post.observed_ms) == ((CREATED_S + 7) * 1000, NOW_MS)


def test_comment() -> None:
    reply = only(convert(comment(8, 7), NOW_MS))
    assert (reply.id, reply.kind, reply.thread) == ("reddit:t1_00008", "reply", "reddit:t3_00007")
    assert (reply.text, reply.title, reply.url) == ("Well.", None, None)
    assert reply.counts == Counts(likes=1)
    assert reply.community == Community(name="test")


def test_a_text_post_has_a_text_and_no_url() -> None:
    post = only(convert(submission(7, is_self=True, selftext="Hello", url="https://www.reddit.com/r/test/…"), NOW_MS))
    assert (post.text, post.url) == ("Hello", None)


def test_a_crosspost_points_to_what_the_first_one_pointed_to() -> None:
    original = {"url": "https://example.org/story", "name": "t3_first", "title": "First"}
    post = only(convert(submission(7, url="/r/other/comments/first/", crosspost_parent_list=[original]), NOW_MS))
    assert (post.kind, post.thread, post.url) == ("post", "reddit:t3_00007", "https://example.org/story")


def test_a_crosspost_of_a_text_post_points_to_it() -> None:
    assert only(convert(submission(7, url="/r/other/comments/first/"), NOW_MS)).url == (
        "https://www.reddit.com/r/other/comments/first/"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"author": "[deleted]", "selftext": "[deleted]", "is_self": True},
        {"author": "[deleted]", "selftext": "[removed]", "is_self": True, "removed_by_category": "moderator"},
        {"author": "[deleted]", "title": "[deleted by user]"},
        {"title": "[ Removed by Reddit ]", "removed_by_category": "content_takedown"},
        {"removed_by_category": "deleted"},
    ],
)
def test_a_published_post_that_was_taken_away_keeps_its_counts_and_no_words(changes: dict[str, object]) -> None:
    taken_away = submission(7, **changes)
    assert convert(taken_away, NOW_MS).ignored == {Ignored.DELETED: 1}  # never published
    post = only(convert(taken_away, NOW_MS, published=True))
    assert post.deleted
    assert (post.author, post.title, post.text, post.url, post.permalink) == (None,) * 5
    assert post.counts == Counts(likes=10, replies=2, like_ratio=0.9)


def test_a_published_comment_that_was_removed_has_no_words() -> None:
    removed = comment(8, 7, author="[deleted]", body="[removed]")
    assert convert(removed, NOW_MS).ignored == {Ignored.DELETED: 1}
    reply = only(convert(removed, NOW_MS, published=True))
    assert (reply.deleted, reply.author, reply.text, reply.permalink) == (True, None, None, None)
    assert (reply.thread, reply.counts.likes) == ("reddit:t3_00007", 1)


def test_an_author_who_left_reddit_takes_nothing_back() -> None:
    post = only(convert(submission(7, author="[deleted]"), NOW_MS))
    assert (post.deleted, post.author, post.title) == (False, None, "Post 7")


def test_a_hidden_score_is_unknown_and_not_1() -> None:
    assert only(convert(comment(8, 7, score_hidden=True), NOW_MS)).counts.likes is None


def test_a_negative_score_is_0() -> None:
    assert only(convert(submission(7, score=-12), NOW_MS)).counts.likes == 0


def test_a_url_that_is_none_costs_no_post() -> None:
    assert only(convert(submission(7, url="http://[::1"), NOW_MS)).url is None


def test_an_advertisement_is_ignored() -> None:
    assert convert(submission(7, promoted=True), NOW_MS).ignored == {Ignored.ADVERT: 1}


def test_half_a_surrogate_pair_costs_a_character_and_no_item() -> None:
    post = only(convert(submission(7, title="a\ud83d", selftext="\udc00b", author="c\ud83d"), NOW_MS))
    assert (post.title, post.text, post.author) == ("a?", "?b", Author(name="c?"))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "wrong_shape"),
        ([], "wrong_shape"),
        ({"kind": "t3"}, "wrong_shape"),
        ({"kind": "more", "data": {}}, "unknown_kind"),
        ({"kind": "t3", "data": {}}, "wrong_shape"),
        (submission(7, created_utc=None), "wrong_shape"),
        (submission(7, created_utc=float("inf")), "wrong_shape"),
        (submission(7, created_utc=float("nan")), "wrong_shape"),
        (submission(7, title=None), "wrong_shape"),
        (submission(7, score="10"), "wrong_shape"),
        (comment(8, 7, link_id=None), "wrong_shape"),
    ],
)
def test_unreadable_with_its_original(raw: object, reason: str) -> None:
    signals = convert(raw, NOW_MS)
    assert signals.read == 1
    (letter,) = signals.unreadable
    assert letter.reason == reason
    assert letter.detail
    assert letter.original


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [*submission(1)["data"], *comment(1, 1)["data"], "crosspost_parent_list", "selftext", "promoted", "view_count"]  # type: ignore[misc]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_whatever_is_in_a_thing_it_ends_somewhere(changes: dict[str, object], is_post: bool) -> None:
    thing = submission(1, **changes) if is_post else comment(2, 1, **changes)
    assert convert(thing, NOW_MS).read == 1
