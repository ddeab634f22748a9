"""The memory of articles is bounded, and an article that has expired from it costs one more observation."""

from __future__ import annotations

from ingest.batch import Signals
from ingest.platforms.news.convert import convert
from ingest.platforms.news.memory import MAX_ABSENT, MAX_ARTICLES, FeedMemory

NOW_MS = 1_704_213_600_000


def articles(first: int, last: int) -> list[tuple[object, Signals]]:
    entries = [{"link": f"https://a.example/{number}", "title": f"Article {number}"} for number in range(first, last)]
    return [(entry, convert(entry, NOW_MS)) for entry in entries]


def test_articles_that_a_feed_dropped_are_remembered_for_a_while() -> None:
    memory = FeedMemory(["a"], None)
    assert memory.news("a", articles(0, 200)).read == 200
    assert memory.news("a", articles(200, 210)).read == 10
    assert memory.news("a", articles(200 - MAX_ABSENT, 210)).read == 0
    assert memory.news("a", articles(0, 10)).read == 10


def test_the_cursor_is_bounded() -> None:
    memory = FeedMemory(["a", "b", "c"], None)
    for number, feed in enumerate(["a", "b", "c"]):
        memory.news(feed, articles(number * 10_000, number * 10_000 + 10_000))
    cursor = memory.cursor()
    assert len(cursor) < 800_000
    again = FeedMemory(["a", "b", "c", "new"], cursor)
    assert again.cursor() != cursor  # it has the new feed
    assert again.news("c", articles(20_000, 30_000)).read <= 30_000 - MAX_ARTICLES
