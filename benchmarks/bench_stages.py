"""The CPU time of each stage of the pipeline per signal, in microseconds, without Kafka between the stages.

    python -m benchmarks.bench_stages [signals]

The load is that of the comparison, at 20 000 signals per second of event time, all of them relevant. A flush is what
`resolve` reads at once. In a larger flush, more signals of one story are processed together.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict

from benchmarks.load import make_load
from ingest.signal import decode
from ingest.signal import encode as encode_signal
from scoring.impact import OfflineAssessor
from streams.records import encode
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import STORY_KEY, Assignment, StoryInfo, ThreadRecord
from streams.records.story_activity import RawStorySignals, WatermarkAdvance, decode_activities
from streams.resolve.route import BEGINNING, Router, RouterConfig
from streams.resolve.threads import ThreadIndex
from streams.score.assessor import OfflineStoryAssessor
from streams.score.config import ScoreConfig
from streams.score.reading import TextReader
from streams.score.scorer import PartitionScorer

SIGNALS = 40_000
FLUSHES = (200, 1_000, 5_000)
PER_SECOND = 20_000
BEGIN_MS = 1_704_000_000_000


def stages(raws: list[bytes], flush: int) -> dict[str, float]:
    """Return the CPU time of each stage per signal, in microseconds."""
    signals = [decode(raw) for raw in raws]
    threads = ThreadIndex()
    links: dict[str, str] = {}
    infos: dict[str, StoryInfo] = {}
    for signal in signals:
        if signal.is_root and signal.id not in links:
            story = links[signal.id] = signal.url or ""
            infos[story] = StoryInfo(story, story, story, "bench", signal.created_ms)
            threads.apply(STORY_KEY + story.encode(), encode(infos[story]))
            threads.note_decision(ThreadRecord(signal.id, 0, 0, (Assignment(story, "bench", "url"),)))
    router = Router(lambda _: ("bench",), threads, RouterConfig(), BEGINNING)
    scorer = PartitionScorer({}, ScoreConfig(), TextReader.load(), OfflineStoryAssessor(OfflineAssessor()))
    spent: dict[str, float] = defaultdict(float)
    told = 0
    for begin in range(0, len(raws), flush):
        times = [time.process_time()]
        batch = [decode(raw) for raw in raws[begin : begin + flush]]
        times.append(time.process_time())
        for place, signal in enumerate(batch, begin):
            router.read(place, raws[place], signal, 0.0)
        sent = []
        for story, entries in router.take_batch().stories.items():
            sent.append(encode(RawStorySignals(SourceWatermark(0, 1, 0), 0, infos[story], entries)))
        sent.append(encode(WatermarkAdvance(SourceWatermark(0, 1, router.stream_ms))))
        times.append(time.process_time())
        activities = decode_activities(b"[" + b",".join(sent) + b"]")
        times.append(time.process_time())
        scorer.take(activities, begin / PER_SECOND)
        told += len(scorer.advance(router.stream_ms, begin / PER_SECOND).scores)
        times.append(time.process_time())
        for name, from_, to in zip(("decode", "route", "decode again", "score"), times, times[1:], strict=False):
            spent[name] += (to - from_) / len(raws) * 1e6
    return {**spent, "scores per 1 000": told / len(raws) * 1_000}


def main() -> None:
    """Measure and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS
    load = make_load(count, relevant_share=1.0, begin_ms=BEGIN_MS, span_ms=count * 1_000 // PER_SECOND)
    raws = [encode_signal(signal) for signal in load]
    stages(raws[:1_000], 1_000)
    for flush in FLUSHES:
        figures = stages(raws, flush)
        print(f"flush of {flush:5}: " + "   ".join(f"{name} {figure:6.1f}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()
