"""Signals from ahead of the clock, whose event time is bounded and so differs each time they are read."""

from __future__ import annotations

from ingest.signal import encode
from streams.records import encode as wire_encode
from streams.records.stories import STORY_KEY, Assignment, Merge, StoryInfo, ThreadRecord
from streams.resolve.route import Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from tests.streams.examples.signals import START_MS, root


def test_a_merge_is_reported_again_though_its_post_has_another_time_when_read_again() -> None:
    now_ms = START_MS - 3_000_000
    threads = ThreadIndex()
    for story, into in (("gone", "left"), ("left", None)):
        info = StoryInfo(story, story, story, "beat", 0, into=into, merged_ms=now_ms if into else 0)
        threads.apply(STORY_KEY + story.encode(), wire_encode(info))
    decided = (Assignment("left", "beat", "new"),)
    threads.note_decision(ThreadRecord("x:a", 0, now_ms, decided, (Merge("gone", "left"),)))

    # The router that proposed the post, at now_ms, stopped before it reported the merge. Its successor is later.
    router = Router(lambda _: ("beat",), threads, RouterConfig(orphan_wait_ms=60_000))
    router.latest_ms = now_ms + 60_000
    post = root("x:a", 0)
    router.read(0, encode(post), post, 0.0)
    assert [merging.gone.id for merging in router.take_batch().merges] == ["gone"]
