"""The checks that a platform cannot meet, and why. A reason must hold for the platform, whatever its collector does."""

from __future__ import annotations

__all__ = ["ASKS_NOTHING", "WAIVERS"]

A_DELETION_IS_AN_EVENT = "a deletion is an event that names the item and holds none of its fields"
A_STREAM_HAS_NO_PAGES = "a stream has no pages: an event that is left out does not come later"
WAIVERS: dict[tuple[str, str], str] = {
    ("bluesky", "deleted items"): A_DELETION_IS_AN_EVENT,
    ("bluesky", "empty pages"): A_STREAM_HAS_NO_PAGES,
    ("bluesky_v1", "deleted items"): A_DELETION_IS_AN_EVENT,
    ("bluesky_v1", "empty pages"): A_STREAM_HAS_NO_PAGES,
    ("gdelt", "deleted items"): "a file lists what was seen then; nothing is taken back",
    ("gdelt", "empty pages"): "a file of a quarter of an hour never changes, so an empty one is not read again",
    ("gdelt_search", "deleted items"): "a search does not find what is gone, and does not say so",
    ("news", "410"): "410 says that a feed is gone for good, so it is not asked again; test_news_collector.py",
    ("news", "deleted items"): "a feed does not say that an article was taken back; it only stops listing it",
    ("telegram", "deleted items"): "a deleted message is not on the page; test_telegram_collector.py",
    ("youtube", "deleted items"): "a deleted video or comment is left out of the answer; test_youtube_collector.py",
    ("youtube", "one item that raises in convert"): (
        "the comments of a video that cannot be read are not asked for; test_youtube_collector.py tests the others"
    ),
    ("stackexchange", "deleted items"): "what was deleted is left out of answers; test_stackexchange_collector.py",
}
"""(platform, check) -> why the platform cannot meet it."""

ASKS_NOTHING = "nothing is asked: senders send. What they may do is in sender_checks.py"
