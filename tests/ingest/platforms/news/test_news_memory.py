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


def test_no_other_feed_speaks_for_an_article_once_a_feed_of_its_site_has_it() -> None:
    own, foreign, third = "https://www.a.example/feed", "https://evil.example/feed", "https://c.example/feed"
    entry = {"link": "https://a.example/1", "title": "The truth"}
    true = [(entry, convert(entry, NOW_MS))]
    lie = {**entry, "title": "A lie", "published": "2001-01-01T00:00:00Z"}
    false = [(lie, convert(lie, NOW_MS))]
    memory = FeedMemory([own, foreign, third], None)
    assert [found.title for found in memory.news(foreign, false).signals] == ["A lie"]
    assert memory.news(third, true).signals == []
    (found,) = memory.news(own, true).signals
    assert (found.title, found.created_ms) == ("The truth", NOW_MS)
    memory = FeedMemory([own, foreign, third], memory.cursor())
    assert memory.news(foreign, false).signals == []
    assert memory.news(own, true).signals == []


def test_an_article_that_another_feed_had_in_the_same_words_is_no_news() -> None:
    own, planet = "https://feeds.a.example/feed", "https://planet.example/feed"
    memory = FeedMemory([own, planet], None)
    assert memory.news(planet, articles(0, 3)).read == 3
    assert memory.news(own, articles(0, 3)).read == 0
