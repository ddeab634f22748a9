"""How the cost of scoring grows with the number of live stories, and how much of it a restart has to read back.

    python -m benchmarks.bench_scale [stories …]

One partition of the score stage, without Kafka: so many stories of six signals each, then 20 000 signals to stories at
random, 2 000 at once. CPU time of this process; memory is what Python's allocators gave out for the stories. How cost
grows with the signals of one story: bench_scoring. With partitions: ``python -m benchmarks.compare --partitions 8``.
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Iterator

from ingest.signal import Author, Community, Counts, Signal
from streams.score.config import ScoreConfig
from streams.score.reading import TextReader
from streams.score.scorer import PartitionScorer
from streams.wire import Activity, Entry, Mark, StoryInfo

STORIES = (100, 1_000, 10_000, 100_000)
FIRST = 6
MORE, AT_ONCE = 20_000, 2_000
BEGIN_MS = 1_760_000_000_000


def activity(story: int, number: int, at_ms: int) -> Activity:
    """Return one signal of a story: its post, or a reply to it."""
    post = f"reddit:{story}"
    signal = Signal(
        id=f"{post}.{number}" if number else post,
        kind="reply" if number else "post",
        platform="reddit",
        thread=post,
        author=Author(f"author{number % 97}"),
        community=Community(f"place{story % 50}", 100_000),
        title=None if number else f"What happened in place {story}",
        counts=Counts(likes=number % 40, replies=number % 3),
        created_ms=at_ms,
        observed_ms=at_ms,
    )
    info = StoryInfo(f"st_{story}", f"story-{story}", f"What happened in place {story}", "bench", BEGIN_MS)
    return Activity(Mark(0, 1, 0), 0, info, (Entry(story * 10_000_000 + number, at_ms, signal),))


def measure(stories: int) -> Iterator[str]:
    """Yield the cells of one row."""
    reader, chance = TextReader.default(), random.Random(stories)
    scorer = PartitionScorer({}, ScoreConfig(), reader)
    states: dict[bytes, bytes] = {}
    at_ms, seconds = BEGIN_MS, 0.0

    def advance() -> None:
        nonlocal seconds
        seconds += 1.0
        scorer.take([Activity(Mark(0, 1, at_ms, idle=True))], None, seconds)
        states.update((name.encode(), state) for name, state in scorer.advance(at_ms, seconds).states.items() if state)

    tracemalloc.start()
    for number in range(FIRST):
        for story in range(stories):
            at_ms += story % 2
            scorer.take([activity(story, number, at_ms)], None, seconds)
        advance()
    held = tracemalloc.get_traced_memory()[0] - sum(map(len, states.values()))
    tracemalloc.stop()
    load = [(chance.randrange(stories), FIRST + number) for number in range(MORE)]
    spent = 0.0
    for begin in range(0, MORE, AT_ONCE):
        batch = []
        for story, number in load[begin : begin + AT_ONCE]:
            at_ms += 1
            batch.append(activity(story, number, at_ms))
        began = time.process_time()
        for one in batch:
            scorer.take([one], None, seconds)
        advance()
        spent += time.process_time() - began
    began = time.process_time()
    PartitionScorer(states, ScoreConfig(), reader)
    taken_over = time.process_time() - began
    yield f"{stories}"
    yield f"{spent / MORE * 1e6:.0f} us"
    yield f"{held / stories:.0f} bytes"
    yield f"{sum(map(len, states.values())) / stories:.0f} bytes"
    yield f"{taken_over:.2f} s"


def main() -> None:
    """Measure and print a table."""
    print("live stories | a signal | memory of a story | its state in the log | read back by whoever takes over")
    print("---|---|---|---|---")
    for stories in [int(count) for count in sys.argv[1:]] or STORIES:
        print(" | ".join(measure(stories)), flush=True)


if __name__ == "__main__":
    main()
