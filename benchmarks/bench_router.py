"""The rate of the router of `resolve` on one core, and its memory. Run: python -m benchmarks.bench_router.

Signals per second of CPU time, from the bytes of the record to the story (or to nothing). Measured for replies in known
threads, and for posts that the beat `ai` does not select, which its patterns have to read. Then the resident memory of
a million known threads of 100 000 stories.
"""

from __future__ import annotations

import resource
import time

import msgspec

from benchmarks.load import make_load
from ingest.signal import decode
from ingest.signal import encode as encode_signal
from streams.records import encode
from streams.records.stories import STORY_KEY, THREAD_KEY, Assignment, StoryInfo, ThreadRecord
from streams.resolve.matching.beats import load_beat
from streams.resolve.route import Router, RouterConfig
from streams.resolve.threads import ThreadIndex

SIGNALS = 100_000
FLUSH = 1_000
BEGIN_MS = 1_704_000_000_000
THREADS, STORIES = 1_000_000, 100_000


def per_second(raws: list[bytes], router: Router, *, used: bool) -> float:
    """Return how many records are decoded and routed per second of CPU time. ``used``: all of them are, or none is."""
    spent = 0.0
    for begin in range(0, len(raws), FLUSH):
        began = time.process_time()
        for offset, raw in enumerate(raws[begin : begin + FLUSH], begin):
            router.read(offset, raw, decode(raw), 0.0)
        batch = router.take_batch()
        spent += time.process_time() - began
        expected = (FLUSH, 0) if used else (0, FLUSH)
        if len(raws) - begin >= FLUSH and (batch.used, sum(batch.ignored.values())) != expected:
            raise RuntimeError(f"of {FLUSH} records {batch.used} were used and {batch.ignored} ignored")
    return len(raws) / spent


def replies() -> float:
    """Return the rate of replies in threads whose story is known."""
    load = make_load(SIGNALS, relevant_share=1.0, begin_ms=BEGIN_MS, span_ms=60_000)
    threads = ThreadIndex()
    for signal in load:
        if signal.is_root:
            story = StoryInfo(signal.id, signal.id, signal.id, "ai", signal.created_ms)
            threads.apply(STORY_KEY + story.id.encode(), encode(story))
            threads.note_decision(ThreadRecord(signal.id, 0, 0, (Assignment(story.id, "ai", "new"),)))
    raws = [encode_signal(signal) for signal in load if not signal.is_root]
    return per_second(raws, Router(lambda _: ("ai",), threads, RouterConfig()), used=True)


def irrelevant() -> float:
    """Return the rate of posts that are not relevant to the beat `ai`."""
    beat = load_beat("ai")
    load = make_load(5 * SIGNALS, relevant_share=0.0, begin_ms=BEGIN_MS, span_ms=60_000, titled=True, texted=False)
    posts = {signal.id: signal for signal in reversed(load) if signal.is_root}
    raws = [encode_signal(signal) for signal in reversed(posts.values()) if not beat.relevant(signal)]
    router = Router(lambda signal: (beat.name,) * beat.relevant(signal), ThreadIndex(), RouterConfig())
    return per_second(raws, router, used=False)


def memory() -> float:
    """Return the bytes that a known thread takes, including its share of the name of its story."""
    threads = ThreadIndex()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(STORIES):
        story = StoryInfo(f"st_{number:012x}", f"a-story-of-{number}", f"A story of {number}", "ai", BEGIN_MS)
        threads.apply(STORY_KEY + story.id.encode(), encode(story))
    for number in range(THREADS):
        assigned = (Assignment(f"st_{number % STORIES:012x}", "ai", "similar", features=msgspec.Raw(b"{}")),)
        record = ThreadRecord(f"reddit:t3_{number:07x}", BEGIN_MS + number, number, assigned)
        threads.apply(THREAD_KEY + record.thread.encode(), encode(record))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / THREADS


def main() -> None:
    """Measure and print."""
    bytes_each = memory()
    print(f"replies in known threads: {replies():,.0f} signals/s")
    print(f"irrelevant posts: {irrelevant():,.0f} signals/s")
    print(f"a known thread: {bytes_each:.0f} bytes; a million: {bytes_each * 1e6 / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
