"""The watermark against a restatement of its rule, over any sequence of source watermarks and silences."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.source_watermark import SourceWatermark
from streams.runtime.watermark import IdleTimeout, Watermark

IDLE_TIMEOUT = IdleTimeout(live_seconds=1.0, replay_seconds=60.0, live_lag_ms=900_000)
NOW_MS = 1_767_225_600_000
SOURCES = 3


@dataclass
class Received:
    mark_ms: int
    idle: bool
    replay: str
    at: float


@dataclass(frozen=True)
class Step:
    """Seconds pass, and then a source watermark arrives, or nothing."""

    seconds: float
    mark: SourceWatermark | None


MARKS = st.builds(
    SourceWatermark,
    source=st.integers(0, SOURCES - 1),
    sources=st.just(SOURCES),
    mark_ms=st.integers(-2_000, 20_000).map(lambda ms: NOW_MS + ms),
    idle=st.booleans(),
    settle=st.sampled_from(("", "", "a", "b")),
)
STEPS = st.lists(
    st.builds(Step, seconds=st.sampled_from((0.0, 0.1, 0.5, 0.9, 1.1, 30.0, 61.0)), mark=st.none() | MARKS), max_size=30
)


@given(STEPS, st.sampled_from((0, 10 * 86_400_000)))
@settings(max_examples=300)
def test_it_never_goes_back_and_waits_for_every_active_source(steps: list[Step], lag_ms: int) -> None:
    """``lag_ms``: how far event time is behind the clock; 0 when live, days in a replay."""
    watermark, received, monotonic, last_ms = Watermark(IDLE_TIMEOUT), dict[int, Received](), 100.0, 0
    first: float | None = None
    seconds = IDLE_TIMEOUT.live_seconds if lag_ms == 0 else IDLE_TIMEOUT.replay_seconds
    for step in steps:
        monotonic += step.seconds
        if (mark := step.mark) is not None:
            watermark.update(mark, monotonic)
            first = monotonic if first is None else first
            known = received.get(mark.source)
            at_ms = mark.mark_ms if known is None else max(mark.mark_ms, known.mark_ms)
            received[mark.source] = Received(at_ms, mark.idle, mark.settle, monotonic)
        now_ms = NOW_MS + lag_ms + int(1000 * (monotonic - 100.0)) % 100_000
        reached_ms = watermark.advance(now_ms, monotonic)

        assert reached_ms >= last_ms
        if first is None:
            assert reached_ms == 0
            continue
        latest_ms = max(source.mark_ms for source in received.values())
        active = [s.mark_ms for s in received.values() if not s.idle and monotonic - s.at <= seconds]
        if len(received) < SOURCES and monotonic - first <= seconds:
            assert reached_ms == last_ms, "a source that has sent nothing yet is waited for"
        elif active:
            assert reached_ms == max(last_ms, min(active)), "the slowest active source, and only active ones"
        elif lag_ms:
            assert reached_ms == max(last_ms, latest_ms), "no source is active: everything received is complete"
        else:
            assert reached_ms == max(last_ms, latest_ms, now_ms - 1000), "live, time also follows the clock"

        ended = {source.replay for source in received.values()}
        assert watermark.replay_barrier == (ended.pop() if len(received) == SOURCES and len(ended) == 1 else "")
        last_ms = reached_ms


def test_live_time_follows_the_clock_through_a_long_silence_and_an_ended_replay_stays_at_its_end() -> None:
    for lag_ms, restored_ms, moved_ms in ((0, 0, 7_200_000), (10 * 86_400_000, 0, 0), (901_000, NOW_MS, 7_200_000)):
        watermark = Watermark(IDLE_TIMEOUT, restored_ms + lag_ms)
        for seconds in range(7_202):
            watermark.update(SourceWatermark(0, 1, NOW_MS, idle=True), seconds)
            reached_ms = watermark.advance(NOW_MS + lag_ms + 1_000 * seconds, seconds)
        assert reached_ms == NOW_MS + (lag_ms + moved_ms if moved_ms else 0)


def test_a_silent_source_holds_up_a_replay_for_a_minute_and_live_time_for_a_second() -> None:
    for lag_ms, held_seconds in ((0, 1.0), (10 * 86_400_000, 60.0)):
        watermark = Watermark(IDLE_TIMEOUT)
        watermark.update(SourceWatermark(0, 2, NOW_MS), 0.0)
        watermark.update(SourceWatermark(1, 2, NOW_MS + 5_000), 0.0)
        seconds, held = 0.0, 0.0
        while watermark.advance(NOW_MS + lag_ms, seconds) < NOW_MS + 5_000:
            held = seconds
            seconds += 0.1
            watermark.update(SourceWatermark(1, 2, NOW_MS + 5_000), seconds)
        assert abs(held - held_seconds) < 0.2
