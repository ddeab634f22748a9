"""The watermark against a plain restatement of its rule, over any sequence of marks and silences."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records.internal import Mark
from streams.runtime.watermark import Patience, Watermark

PATIENCE = Patience(live_seconds=1.0, replay_seconds=60.0, live_lag_ms=900_000)
NOW_MS = 1_767_225_600_000
SOURCES = 3


@dataclass
class Heard:
    mark_ms: int
    idle: bool
    settle: str
    at: float


@dataclass(frozen=True)
class Step:
    """Seconds pass, and then a mark is heard, or nothing."""

    seconds: float
    mark: Mark | None


MARKS = st.builds(
    Mark,
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
def test_it_never_goes_back_and_passes_nobody_who_need_be_waited_for(steps: list[Step], lag_ms: int) -> None:
    """``lag_ms``: how far event time is behind the clock: nothing when live, days in a replay."""
    watermark, heard, monotonic, last_ms = Watermark(PATIENCE), dict[int, Heard](), 100.0, 0
    first: float | None = None
    patience = PATIENCE.live_seconds if lag_ms == 0 else PATIENCE.replay_seconds
    for step in steps:
        monotonic += step.seconds
        if (mark := step.mark) is not None:
            watermark.update(mark, monotonic)
            first = monotonic if first is None else first
            known = heard.get(mark.source)
            at_ms = mark.mark_ms if known is None else max(mark.mark_ms, known.mark_ms)
            heard[mark.source] = Heard(at_ms, mark.idle, mark.settle, monotonic)
        now_ms = NOW_MS + lag_ms + int(1000 * (monotonic - 100.0)) % 100_000
        reached_ms = watermark.advance(now_ms, monotonic)

        assert reached_ms >= last_ms
        if first is None:
            assert reached_ms == 0
            continue
        latest_ms = max(source.mark_ms for source in heard.values())
        waited_for = [s.mark_ms for s in heard.values() if not s.idle and monotonic - s.at <= patience]
        if len(heard) < SOURCES and monotonic - first <= patience:
            assert reached_ms == last_ms, "a source not heard of yet is waited for"
        elif waited_for:
            assert reached_ms == max(last_ms, min(waited_for)), "the slowest of those at work, and of them alone"
        elif lag_ms:
            assert reached_ms == max(last_ms, latest_ms), "nobody is at work: all that was told is complete"
        else:
            assert reached_ms == max(last_ms, latest_ms, now_ms - 1000), "and live, time moves on by the clock"

        told = {source.settle for source in heard.values()}
        assert watermark.settle == (told.pop() if len(heard) == SOURCES and len(told) == 1 else "")
        last_ms = reached_ms


def test_live_time_moves_on_through_a_long_silence_and_a_replay_that_ended_stays_where_it_ended() -> None:
    for lag_ms, lately_ms, moved_ms in ((0, 0, 7_200_000), (10 * 86_400_000, 0, 0), (901_000, NOW_MS, 7_200_000)):
        watermark = Watermark(PATIENCE, lately_ms + lag_ms)
        for seconds in range(7_202):
            watermark.update(Mark(0, 1, NOW_MS, idle=True), seconds)
            reached_ms = watermark.advance(NOW_MS + lag_ms + 1_000 * seconds, seconds)
        assert reached_ms == NOW_MS + (lag_ms + moved_ms if moved_ms else 0)


def test_one_silent_source_holds_a_replay_up_for_a_minute_and_live_for_a_second() -> None:
    for lag_ms, held_seconds in ((0, 1.0), (10 * 86_400_000, 60.0)):
        watermark = Watermark(PATIENCE)
        watermark.update(Mark(0, 2, NOW_MS), 0.0)
        watermark.update(Mark(1, 2, NOW_MS + 5_000), 0.0)
        seconds, held = 0.0, 0.0
        while watermark.advance(NOW_MS + lag_ms, seconds) < NOW_MS + 5_000:
            held = seconds
            seconds += 0.1
            watermark.update(Mark(1, 2, NOW_MS + 5_000), seconds)
        assert abs(held - held_seconds) < 0.2
