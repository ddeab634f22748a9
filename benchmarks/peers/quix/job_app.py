"""The job as a Quix Streams program: a dataframe over the topic, grouped by story, with state by key.

Run with BENCH_SERVERS, BENCH_GROUP, BENCH_SIGNALS, BENCH_OUTPUT and BENCH_STATE (a folder) set, in an environment made
from requirements.txt. Must never use Hubbub's code.
"""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application, State

from benchmarks import job

app = Application(
    broker_address=os.environ["BENCH_SERVERS"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    state_dir=os.environ["BENCH_STATE"],
    auto_create_topics=True,
    loglevel="WARNING",
)


def route(signal: dict[str, Any], state: State) -> dict[str, Any] | None:
    """Add the story to a signal. Return None if it is not relevant. The state is that of the thread."""
    story = state.get("story")
    if story is None and signal["id"] == signal["thread"] and job.is_relevant(signal["url"]):
        story = signal["url"]
        state.set("story", story)
    return None if story is None else {**signal, "story": story}


def aggregate(signal: dict[str, Any], state: State) -> dict[str, Any] | None:
    """Add a signal to its story and return the score. The state is that of the story."""
    story = state.get("story") or job.new_story()
    key = f"item {signal['id']}"
    item = job.take(story, signal, state.get(key))
    if item is None:
        return None
    state.set(key, item)
    state.set("story", story)
    return job.score(signal["story"], story)


frame = app.dataframe(app.topic(os.environ["BENCH_SIGNALS"], value_deserializer="json"))
frame = frame.apply(route, stateful=True)
frame = frame[frame.apply(lambda value: value is not None)]
frame = frame.group_by("story")
frame = frame.apply(aggregate, stateful=True)
frame = frame[frame.apply(lambda value: value is not None)]
frame = frame.to_topic(app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json"))

if __name__ == "__main__":
    app.run()
