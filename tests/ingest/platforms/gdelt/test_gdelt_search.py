"""Answers of GDELT's search as it gives them: sentences, bad escapes, and lists of pages."""

from __future__ import annotations

import pytest

from ingest.platforms.gdelt.config import GdeltConfig
from ingest.platforms.gdelt.search import articles_in, search_path
from transport.errors import RetryLaterError, SlowDownError


def titles(text: str) -> list[object]:
    return [article["title"] for article in articles_in(text.encode()) if isinstance(article, dict)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"It\'s a \"quote\"", 'It\'s a "quote"'),
        (r"C:\models \x \u00e9 \u12 \\ \/", "C:\\models \\x é \\u12 \\ /"),
        (r"Tab\there \\\' end \\", "Tab\there \\' end \\"),
        ("a\tcontrol\ncharacter", "a\tcontrol\ncharacter"),
    ],
)
def test_bad_escapes_are_cured_and_good_ones_stay(written: str, meant: str) -> None:
    assert titles(f'{{"articles": [{{"title": "{written}"}}]}}') == [meant]


def test_a_sentence_in_place_of_json_is_a_limit_or_a_failure() -> None:
    limit = b"Please limit requests to one every 5 seconds or contact someone@example.com for larger queries.\n"
    with pytest.raises(SlowDownError, match="GDELT says: Please limit") as limited:
        articles_in(limit)
    assert limited.value.after_seconds == 60
    for text in (b"Your query was too short or too long.\n", b"", b"<html>\n522", b"[1]", b"9" * 10_000):
        with pytest.raises(RetryLaterError) as failed:
            articles_in(text)
        assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    "text", ['{"articles": ', '{"message": "ok"}', '{"articles": {}}', '{"a":' * 100_000, '{"a": ' + "9" * 9_000 + "}"]
)
def test_an_answer_without_articles_is_a_failure(text: str) -> None:
    with pytest.raises(RetryLaterError):
        articles_in(text.encode())


def test_nothing_found_is_no_failure() -> None:
    assert articles_in(b"{}") == articles_in(b'\xef\xbb\xbf{"articles": []}'.removeprefix(b"\xef\xbb\xbf")) == []


def test_a_search_asks_for_the_newest_pages() -> None:
    config = GdeltConfig(source="api", query='"artificial intelligence" OR AI')
    assert search_path(config) == (
        "/api/v2/doc/doc?query=%22artificial+intelligence%22+OR+AI&mode=ArtList&format=json&sort=DateDesc"
        "&maxrecords=250&timespan=24h"
    )
    with pytest.raises(ValueError, match="needs a query"):
        GdeltConfig(source="api")
