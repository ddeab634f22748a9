"""What a message on a preview page becomes. The pages are written as t.me writes them."""

from __future__ import annotations

from collections import Counter

import pytest

from ingest.batch import Ignored, Signals
from ingest.platforms.telegram.convert import convert
from ingest.platforms.telegram.page import Channel, read_page
from ingest.signal import Author, Community, Counts, Signal
from tests.ingest.platforms.telegram.pages import message, page
from tests.ingest.sites import NOW_MS


def signals(*messages: str, collected: frozenset[str] = frozenset()) -> Signals:
    read = read_page(page(*messages).encode())
    became = Signals()
    became.extend(convert(raw, NOW_MS, read.channel, collected) for raw in read.messages)
    return became


def only(*messages: str, collected: frozenset[str] = frozenset()) -> Signal:
    became = signals(*messages, collected=collected)
    (found,) = became.signals
    assert (became.ignored, became.unreadable) == (Counter(), [])
    return found


def test_a_message_with_all_its_parts() -> None:
    preview = (
        '<a class="tgme_widget_message_link_preview" href="https://news.example.org/a?b=1&amp;c=2">'
        '<div class="link_preview_site_name accent_color">News</div><div class="link_preview_title">A title</div>'
        '<div class="link_preview_description">More <b>words</b></div></a>'
        '<div class="tgme_widget_message_reactions js-message_reactions">'
        '<span class="tgme_reaction tgme_reaction_paid"><i class="icon"></i>7.03K</span>'
        '<span class="tgme_reaction"><tg-emoji emoji-id="5"><i class="emoji"><b>👍 2</b></i></tg-emoji>12</span></div>'
    )
    text = (
        'One &amp; <b>two</b><br/>line <i class="emoji" style="x"><b>🔥</b></i>'
        '<pre>code</pre> <a href="https://other.example/x" target="_blank">other</a> &lt;script&gt;'
    )
    assert only(message(12, text, after=preview, edited="edited&nbsp;")) == Signal(
        id="telegram:aiwire/12",
        kind="post",
        platform="telegram",
        thread="telegram:aiwire/12",
        author=Author("AiWire", 41_200),
        community=Community("AI Wire & more", 41_200),
        text="One & two\nline 🔥\ncode other <script>",
        url="https://news.example.org/a?b=1&c=2",
        permalink="https://t.me/AiWire/12",
        counts=Counts(likes=7_042, views=1_200),
        created_ms=NOW_MS - 3_600_000 + 12_000,
        observed_ms=NOW_MS,
    )


def test_unknown_counts_are_not_zero() -> None:
    found = only(message(1, views=""))
    assert found.counts == Counts()
    assert only(message(1, views="0")).counts.views == 0


def test_the_first_link_that_leaves_telegram_is_the_page() -> None:
    text = '<a href="https://t.me/other">x</a> <a href="?q=%23tag">#tag</a> <a href="https://a.example/">y</a>'
    assert only(message(1, text)).url == "https://a.example/"
    assert only(message(1, '<a href="http://[::1">x</a>')).url is None


def test_a_quoted_message_is_not_the_words_of_the_reply() -> None:
    quote = (
        '<a class="tgme_widget_message_reply user-color-1" href="https://t.me/aiwire/3"><div class='
        '"tgme_widget_message_author">AI Wire</div><div class="tgme_widget_message_text js-message_reply_text">Quoted'
        "</div></a>"
    )
    assert only(message(4, "Own", before=quote)).text == "Own"
    assert only(message(4, "", before=quote)).text is None


FORWARD = (
    '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from <a class='
    '"tgme_widget_message_forwarded_from_name" href="https://t.me/ModelWatch/77"><span dir="auto">Models</span></a>'
    "</div>"
)


def test_a_forward_from_a_channel_that_is_read_too_is_a_repost() -> None:
    found = only(message(5, before=FORWARD), collected=frozenset({"modelwatch"}))
    assert (found.kind, found.id, found.thread) == ("repost", "telegram:aiwire/5", "telegram:modelwatch/77")
    other = only(message(5, before=FORWARD))
    assert (other.kind, other.thread) == ("post", "telegram:aiwire/5")


def test_a_message_that_forwards_itself_is_a_post() -> None:
    own = FORWARD.replace("ModelWatch/77", "aiwire/5")
    assert only(message(5, before=own), collected=frozenset({"aiwire"})).kind == "post"


def test_a_service_message_is_ignored() -> None:
    became = signals(message(1, "AI Wire pinned a message", classes="service_message"))
    assert (became.signals, became.ignored) == ([], Counter([Ignored.SERVICE]))


def test_the_letter_case_of_a_channel_does_not_matter() -> None:
    assert {only(message(1, channel=name)).id for name in ("AIWIRE", "aiwire")} == {"telegram:aiwire/1"}


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00"])
def test_a_time_after_now_is_clamped(time: str) -> None:
    assert only(message(1, time=time)).created_ms == NOW_MS


@pytest.mark.parametrize("time", ["yesterday", "", "99999-01-01T00:00:00+00:00"])
def test_a_message_without_a_time_is_a_dead_letter(time: str) -> None:
    (dead,) = signals(message(1, time=time)).unreadable
    assert dead.reason == "wrong_shape"


def test_a_deleted_message_keeps_its_counts_alone() -> None:
    raw = {
        "post": "aiwire/9",
        "time": "2024-01-02T00:00:00+00:00",
        "views": "1.5M",
        "reactions": ["3"],
        "deleted": True,
    }
    (found,) = convert(raw, NOW_MS, Channel("AI Wire", "5")).signals
    assert found.deleted
    assert (found.text, found.title, found.url, found.author) == (None, None, None, None)
    assert found.counts == Counts(likes=3, views=1_500_000)


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"\xff\xfe\x00",
        b"<" * 200_000,
        b"<div class='tgme_widget_message' data-post='a'>" * 5_000,
        b"<!--" * 300_000,  # Python's own parser takes an hour for it
        b"<a href='" * 200_000,
        b"&#" + b"9" * 10_000 + b";",
        b"</div></div><time datetime='x'><br><br/></p>",
        page(message(1)).encode()[:900],
    ],
    ids=["empty", "no text", "brackets", "deep", "comment", "attribute", "number", "ends only", "cut off"],
)
def test_any_bytes_are_a_page_without_an_error(html: bytes) -> None:
    for raw in read_page(html).messages:
        assert convert(raw, NOW_MS).read == 1


def test_a_page_of_something_else_is_no_page_of_telegram() -> None:
    assert not read_page(b"<!doctype html><title>Our CDN was unable to reach our servers</title>").is_telegram
    empty = read_page(page().encode())
    assert (empty.is_telegram, empty.messages, empty.channel.subscribers) == (True, [], "41.2K")
