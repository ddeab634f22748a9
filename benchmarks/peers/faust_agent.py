"""The job as a plain Faust program: one event at a time, tables by key, as in Faust's own tutorial.

Run: faust_agent.py worker, with BENCH_SERVERS, BENCH_GROUP, BENCH_SIGNALS, BENCH_ACTIVITY, BENCH_OUTPUT and
BENCH_PARTITIONS set. Must never use Hubbub's code.
"""

from __future__ import annotations

import os
from typing import Any

import faust

from benchmarks import job

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_SERVERS']}",
    store="memory://",
    value_serializer="json",
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
    topic_replication_factor=1,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
signals = app.topic(os.environ["BENCH_SIGNALS"], key_type=str)
activity = app.topic(os.environ["BENCH_ACTIVITY"], key_type=str)
scores = app.topic(os.environ["BENCH_OUTPUT"], key_type=str)
story_of_thread = app.Table("threads")
items = app.Table("items")
stories = app.Table("stories")


@app.agent(signals)  # type: ignore[untyped-decorator]  # Faust has no types
async def route(stream: faust.Stream[dict[str, Any]]) -> None:
    """Send relevant signals to their story."""
    async for signal in stream:
        thread = signal["thread"]
        story = story_of_thread.get(thread)
        if story is None and signal["id"] == thread and job.is_relevant(signal["url"]):
            story = story_of_thread[thread] = signal["url"]
        if story is not None:
            await activity.send(key=story, value=signal)


@app.agent(activity)  # type: ignore[untyped-decorator]  # Faust has no types
async def aggregate(stream: faust.Stream[dict[str, Any]]) -> None:
    """Add each signal to its story and emit the score."""
    async for name, signal in stream.items():
        story = stories.get(name) or job.new_story()
        item = job.take(story, signal, items.get(signal["id"]))
        if item is not None:
            items[signal["id"]] = item
            stories[name] = story
            await scores.send(key=name, value=job.score(name, story))


if __name__ == "__main__":
    app.main()
