"""Hacker News items, as its documentation gives them, and what becomes of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import signal
from ingest.batch import Ignored, Signals
from ingest.plain_text import plain_text
from ingest.platforms.hackernews.convert import convert, parent_id
from ingest.signal import Author, Counts

NOW_MS = 1_704_213_600_000

# The examples of https://github.com/HackerNews/API (shortened).
STORY = {
    "by": "dhouston",
    "descendants": 71,
    "id": 8863,
    "kids": [9224, 8917],
    "score": 104,
    "time": 1175714200,
    "title": "My YC app: Dropbox - Throw away your USB drive",
    "type": "story",
    "url": "http://www.getdropbox.com/u/2/screencast.html",
}
COMMENT = {
    "by": "norvig",
    "id": 2921983,
    "kids": [2922097, 2922429],
    "parent": 2921506,
    "text": "Aw shucks, guys ... you make me blush with your compliments.<p>Tell you what, Ill make a deal: I'll keep "
    "writing if you keep reading. K?",
    "time": 1314211127,
    "type": "comment",
}
ASK = {
    "by": "tel",
    "descendants": 16,
    "id": 121003,
    "score": 25,
    "text": "<i>or</i> HN: the Next Iteration<p>I get the impression that with Arc being released a lot of people…",
    "time": 1203647620,
    "title": "Ask HN: The Arc Effect",
    "type": "story",
}
JOB = {
    "by": "justin",
    "id": 192327,
    "score": 6,
    "text": "Justin.tv is the biggest live video site online.",
    "time": 1210981217,
    "title": "Justin.tv is looking for a Lead Flash Engineer!",
    "type": "job",
    "url": "",
}
POLL = {
    "by": "pg",
    "descendants": 54,
    "id": 126809,
    "parts": [126810, 126811],
    "score": 46,
    "text": "",
    "time": 1204403652,
    "title": "Poll: What would happen if News.YC had explicit support for polls?",
    "type": "poll",
}
POLL_OPTION = {
    "by": "pg",
    "id": 160705,
    "poll": 160704,
    "score": 335,
    "text": "Yes, ban them; I'm tired of seeing Valleywag stories on News.YC.",
    "time": 1207886576,
    "type": "pollopt",
}


def only(signals: Signals) -> signal.Signal:
    (found,) = signals.signals
    assert signals.read == 1
    assert signal.decode(signal.encode(found), NOW_MS) == found
    return found


def test_story() -> None:
    story = only(convert(STORY, NOW_MS))
    assert (story.id, story.kind, story.thread) == ("hackernews:8863", "post", "hackernews:8863")
    assert story.counts == Counts(likes=104, replies=71)
    assert story.author == Author(name="dhouston")
    assert story.title == STORY["title"]
    assert story.url == STORY["url"]
    assert story.permalink == "https://news.ycombinator.com/item?id=8863"
    assert (story.created_ms, story.observed_ms) == (1_175_714_200_000, NOW_MS)
    assert story.text is None
    assert story.community is None


def test_comment_is_a_reply_in_the_thread_of_its_root() -> None:
    comment = only(convert(COMMENT, NOW_MS, 2_921_000))
    assert (comment.kind, comment.thread) == ("reply", "hackernews:2921000")
    assert comment.counts == Counts()
    assert comment.text is not None
    assert "compliments.\n\nTell you what" in comment.text
    assert comment.title is None


def test_a_question_has_its_text_and_no_url() -> None:
    ask = only(convert(ASK, NOW_MS))
    assert ask.url is None
    assert ask.text == "or HN: the Next Iteration\n\nI get the impression that with Arc being released a lot of people…"


def test_a_job_has_no_comments_to_count_rather_than_none() -> None:
    job = only(convert(JOB, NOW_MS))
    assert (job.kind, job.counts, job.url) == ("post", Counts(likes=6), None)


def test_a_poll_is_a_post() -> None:
    assert only(convert(POLL, NOW_MS)).counts == Counts(likes=46, replies=54)


def test_a_score_below_0_is_0() -> None:
    assert only(convert(STORY | {"score": -3}, NOW_MS)).counts.likes == 0


def test_half_a_surrogate_pair_costs_a_character_and_no_item() -> None:
    assert only(convert(STORY | {"title": "a\ud83d"}, NOW_MS)).title == "a?"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, Ignored.MISSING),
        ({"deleted": True, "id": 1, "time": 1175714200, "type": "story"}, Ignored.DELETED),
        (STORY | {"dead": True}, Ignored.DEAD),
        (POLL_OPTION, Ignored.POLL_OPTION),
        (COMMENT, Ignored.ORPHAN),
        ({"deleted": True, "id": 2, "parent": 1, "time": 1175714200, "type": "comment"}, Ignored.DELETED),
    ],
)
def test_ignored_for_a_reason(raw: object, reason: Ignored) -> None:
    signals = convert(raw, NOW_MS)
    assert (signals.signals, signals.ignored, signals.unreadable) == ([], {reason: 1}, [])


@pytest.mark.parametrize(
    "raw", [STORY | {"dead": True}, {"deleted": True, "id": 8863, "time": 1175714200, "type": "story"}]
)
def test_a_published_item_that_is_gone_has_no_words(raw: dict[str, object]) -> None:
    gone = only(convert(raw, NOW_MS, published=True))
    assert (gone.id, gone.deleted, gone.created_ms) == ("hackernews:8863", True, 1_175_714_200_000)
    assert (gone.title, gone.text, gone.url, gone.author) == (None,) * 4
    assert gone.counts.likes == raw.get("score")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "wrong_shape"),
        ("text", "wrong_shape"),
        ({"type": "story"}, "wrong_shape"),
        (STORY | {"id": "8863"}, "wrong_shape"),
        (STORY | {"title": ["a"]}, "wrong_shape"),
        (STORY | {"score": "many"}, "wrong_shape"),
        ({name: STORY[name] for name in STORY if name != "time"}, "wrong_shape"),
        (STORY | {"type": "reel"}, "unknown_kind"),
        ({"id": 5, "time": 1175714200}, "unknown_kind"),
    ],
)
def test_unreadable_with_its_original(raw: object, reason: str) -> None:
    signals = convert(raw, NOW_MS)
    assert signals.read == 1
    (letter,) = signals.unreadable
    assert letter.reason == reason
    assert letter.detail
    assert letter.original


@pytest.mark.parametrize(
    ("raw", "parent"),
    [(COMMENT, 2_921_506), (STORY, None), (None, None), ([], None), (COMMENT | {"parent": "1"}, None)],
)
def test_parent(raw: object, parent: int | None) -> None:
    assert parent_id(raw) == parent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(STORY | COMMENT | {"dead": 1, "deleted": 1})), JSON), st.booleans())
def test_whatever_is_in_an_item_it_ends_somewhere(changes: dict[str, object], is_story: bool) -> None:
    signals = convert((STORY if is_story else COMMENT) | changes, NOW_MS, 1)
    assert signals.read == 1


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("one<p>two<p>three", "one\n\ntwo\n\nthree"),
        ('see <a href="https:&#x2F;&#x2F;a.example&#x2F;b?c=1&amp;d=2" rel="nofollow">https:...</a> now',
         "see https://a.example/b?c=1&d=2 now"),
        ("<pre><code>x &lt; 3\n</code></pre>done", "x < 3\ndone"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ('<a href="https://never.closed">lost<p>found', "https://never.closed\n\nfound"),
    ],
)  # fmt: skip
def test_plain_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("unit", ["<", "<a ", '<a href="x">', "<p>", "&", "&#", "<a href=", 'href="'])
def test_plain_text_takes_linear_time(unit: str) -> None:
    began_at = time.process_time()
    text = unit * (500_000 // len(unit))
    plain_text(text)
    plain_text(f"<a {text}>")
    assert time.process_time() - began_at < 2
