"""Questions, answers and comments, and what becomes of them."""

from __future__ import annotations

import pytest

from ingest import signal
from ingest.batch import Ignored, Signals
from ingest.platforms.stackexchange.convert import active_s, convert, number, parts
from ingest.signal import Author, Community, Counts
from tests.ingest.platforms.stackexchange.stackexchange_site import answer, comment, question
from tests.ingest.sites import CREATED_S, NOW_MS


def only(signals: Signals, now_ms: int = NOW_MS) -> signal.Signal:
    (found,) = signals.signals
    assert signals.read == 1
    assert signal.decode(signal.encode(found), now_ms) == found
    return found


def test_question() -> None:
    post = only(convert(question(7, answer_count=2, comment_count=1), NOW_MS, "ai"))
    assert (post.id, post.kind, post.thread) == ("stackexchange:ai/7", "post", "stackexchange:ai/7")
    assert (post.title, post.text, post.url) == ("Question 7", "Why?", None)
    assert (post.author, post.community) == (Author(name="alice (5)"), Community(name="ai"))
    assert post.permalink == "https://ai.stackexchange.com/questions/7/why"
    assert post.counts == Counts(likes=3, replies=3, views=90)
    assert (post.created_ms, post.observed_ms) == ((CREATED_S + 7) * 1000, NOW_MS)


def test_answers_and_comments_are_replies_in_the_thread_of_the_question() -> None:
    below = comment(11, 9)
    whole = question(
        7, answers=[answer(9, 7, comments=[below], comment_count=1)], comments=[comment(9, 7)], answer_count=1,
        comment_count=1,
    )  # fmt: skip
    found = [only(convert(part, NOW_MS, "ai", number(whole))) for part in parts(whole)]
    assert [(one.id, one.kind) for one in found] == [
        ("stackexchange:ai/7", "post"),
        ("stackexchange:ai/comment/9", "reply"),
        ("stackexchange:ai/9", "reply"),
        ("stackexchange:ai/comment/11", "reply"),
    ]
    assert {one.thread for one in found} == {"stackexchange:ai/7"}
    assert found[0].counts.replies == 3
    assert found[1].text == "Well & good."


def test_titles_and_names_are_unescaped_once() -> None:
    raw = question(7, title="List&lt;T&gt; &amp;amp; you&#39;re", owner={"display_name": "Zo&#235;"})
    post = only(convert(raw, NOW_MS))
    assert (post.title, post.author) == ("List<T> &amp; you're", Author(name="Zoë"))


def test_a_comment_without_a_question_has_no_thread() -> None:
    assert convert(comment(9, 7), NOW_MS).ignored == {Ignored.ORPHAN: 1}


def test_unknown_counts_are_none_and_a_negative_score_is_0() -> None:
    raw = {key: value for key, value in question(7, score=-2).items() if not key.endswith("_count")}
    assert only(convert(raw, NOW_MS)).counts == Counts(likes=0)


def test_a_time_ahead_is_clamped_and_an_old_one_is_kept() -> None:
    assert only(convert(question(7, creation_date=4_000_000_000), NOW_MS)).created_ms == NOW_MS
    assert only(convert(question(7, creation_date=1_280_000_000), NOW_MS)).created_ms == 1_280_000_000_000


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"creation_date": CREATED_S},
        question(7, creation_date=None),
        question(7, creation_date="today"),
        question(7, score="3"),
        question(7, owner="alice"),
    ],
    ids=str,
)
def test_unreadable_with_its_original(raw: object) -> None:
    signals = convert(raw, NOW_MS)
    (letter,) = signals.unreadable
    assert (letter.reason, signals.read) == ("wrong_shape", 1)
    assert letter.original


@pytest.mark.parametrize("below", [None, 7, "x", {}, [None, 3, {"comments": "none"}]])
def test_whatever_is_below_a_question_costs_no_question(below: object) -> None:
    whole = question(7, answers=below, comments=below)
    found = [convert(part, NOW_MS, "ai", number(whole)) for part in parts(whole)]
    assert len(found[0].signals) == 1
    assert all(one.read == 1 for one in found)
    assert active_s(below) == 0
