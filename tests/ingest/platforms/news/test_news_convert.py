"""Entries of feeds as sites write them, and the signals they become."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest import signal
from ingest.platforms.news.convert import convert
from ingest.platforms.news.dates import date_ms
from ingest.signal import Author, Community, Signal

NOW_MS = 1_704_213_600_000  # 2024-01-02 16:40 UTC
DAY_MS = 86_400_000


def entry(**changes: object) -> dict[str, object]:
    return {
        "feed": "The Ledger",
        "feed_url": "https://ledger.example.com/feed",
        "id": "tag:ledger.example.com,2024:1",
        "link": "https://www.ledger.example.com/ai/a-model?utm_source=rss",
        "title": "A model",
        "summary": "<p>It is large.</p>",
        "author": "Ada",
        "published": "Tue, 02 Jan 2024 16:00:00 GMT",
        "language": "en",
        **changes,
    }


def one(**changes: object) -> Signal:
    (found,) = convert(entry(**changes), NOW_MS).signals
    signal.check(found, NOW_MS)
    return found


def test_an_entry_is_a_post_with_its_fields() -> None:
    assert one() == Signal(
        id="news:ledger.example.com/ai/a-model",
        kind="post",
        platform="news",
        thread="news:ledger.example.com/ai/a-model",
        author=Author(name="Ada"),
        community=Community(name="The Ledger"),
        title="A model",
        text="It is large.",
        url="https://www.ledger.example.com/ai/a-model?utm_source=rss",
        permalink="https://www.ledger.example.com/ai/a-model?utm_source=rss",
        lang="en",
        created_ms=NOW_MS - 2_400_000,
        observed_ms=NOW_MS,
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mo, 25 Jun 2018 11:41:36", "2018-06-25T11:41:36"),
        ("Thu, 03 Sep 15", "2015-09-03T00:00:00"),
        ("Fri, 07 Jul 2023 12:00:00 EST", "2023-07-07T17:00:00"),
        ("Fri, 07 Jul 2023 12:00:00 EDT", "2023-07-07T16:00:00"),
        ("Mon, 1 Jan 2024 10:00:00 +0530", "2024-01-01T04:30:00"),
        ("2024-01-01T10:00:00.123456789+01:00", "2024-01-01T09:00:00.123"),
        ("2024-01-01 10:00:00 UTC", "2024-01-01T10:00:00"),
        ("2024-01-01", "2024-01-01T00:00:00"),
        ("January 1st, 2024 4:05 pm PST", "2024-01-02T00:05:00"),
        ("Mon Jan  1 10:11:12 2024", "2024-01-01T10:11:12"),
        ("Tues, 1 Jan 2024 24:00:00 GMT", "2024-01-02T00:00:00"),
    ],
)
def test_a_date_is_read_as_it_is_meant(written: str, meant: str) -> None:
    at_ms = int(datetime.fromisoformat(meant).replace(tzinfo=UTC).timestamp() * 1000)
    assert one(published=written).created_ms == at_ms


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "yesterday", "0200-01-01T00:00:00Z", "Wed, 01 Jan 0200 00:00:00 GMT", "1970-01-01T00:00:00Z"),
        *("Fri, 31 Feb 2023 10:00:00 GMT", "9" * 5_000, "32 Jan 2024", "1 Foo 2024", "2024-13-45"),
        "Thu, 04 Jan 2024 16:40:00 GMT",
    ],
)
def test_an_article_without_a_usable_date_or_from_the_future_is_as_old_as_its_observation(written: str | None) -> None:
    assert one(published=written).created_ms == NOW_MS


def test_an_article_from_the_past_keeps_its_time() -> None:
    assert one(published="2001-05-06T00:00:00Z").created_ms == 989_107_200_000


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AT&amp;T splits", "AT&T splits"),
        ("AT&amp;amp;T splits", "AT&T splits"),
        ("<b>New</b> model <img src=x onerror=alert(1)>", "New model"),
        ("&lt;b&gt;New&lt;/b&gt; model", "New model"),
        ("&amp;lt;em&amp;gt;New&amp;lt;/em&amp;gt; model", "New model"),
        ("It&#8217;s&nbsp;here\n  at last", "It’s here at last"),
        ("Why List<T> and a < b matter", "Why List<T> and a < b matter"),
        ("<![CDATA[Wrapped twice]]>", "Wrapped twice"),
        ("<script>alert(1)</script>Safe", "Safe"),
        ("half a pair \ud800", "half a pair ?"),
    ],
)
def test_a_title_is_plain_text(written: str, meant: str) -> None:
    assert one(title=written).title == meant


@pytest.mark.parametrize(
    "link",
    [
        "http://ledger.example.com/ai/a-model",
        "https://www.ledger.example.com/ai/a-model/",
        "https://LEDGER.example.com:443/ai/a-model#comments",
        " https://ledger.example.com/ai/./a%2Dmodel?at_medium=RSS&at_campaign=KARANGA\n",
        "https://ledger.example.com/ai/a-model?fbclid=1&source=rss&cmp=feed",
    ],
)
def test_an_article_has_one_id_whatever_its_link_carries(link: str) -> None:
    assert one(link=link).id == "news:ledger.example.com/ai/a-model"


@pytest.mark.parametrize(
    ("link", "own_id", "id_"),
    [
        (None, "https://ledger.example.com/ai/a-model", "news:ledger.example.com/ai/a-model"),
        ("javascript:alert(1)", "https://ledger.example.com/ai/a-model", "news:ledger.example.com/ai/a-model"),
        (None, "urn:uuid:1225c695", "news:ledger.example.com/feed/urn:uuid:1225c695"),
        (None, "41 b", "news:ledger.example.com/feed/41%20b"),
        ("https://ledger.example.com/?p=7", "41", "news:ledger.example.com?p=7"),
        ("https://bücher.example/ö", None, "news:xn--bcher-kva.example/%C3%B6"),
    ],
)
def test_an_article_without_a_link_has_the_id_that_its_feed_gives(
    link: str | None, own_id: str | None, id_: str
) -> None:
    found = one(link=link, id=own_id)
    assert found.id == id_
    assert found.url is None or found.url.startswith("https://")


def test_an_article_with_neither_link_nor_id_is_known_by_its_words() -> None:
    assert one(link=None, id=None).id == one(link=None, id=None, published=None).id
    assert one(link=None, id=None).id != one(link=None, id=None, title="Another").id
    assert [dead.reason for dead in convert({"feed": "The Ledger"}, NOW_MS).unreadable] == ["wrong_shape"]


def test_ids_and_texts_are_bounded() -> None:
    found = one(link="https://ledger.example.com/" + "a" * 3_000, title="t" * 50_000, summary="s" * 50_000)
    assert len(found.id) <= signal.MAX_ID_CHARS
    assert len(found.title or "") <= 20_000
    assert len(found.text or "") <= 4_000
    assert found.id != one(link="https://ledger.example.com/" + "a" * 3_001).id


def test_no_date_raises() -> None:
    for text in ("", "\x00", "1:1", "jan 1", "12:99 1 jan 2024", "-", "2024-", "١ jan 2024", "1 jan 2024 +9999"):
        assert date_ms(text) is None or date_ms(text)
