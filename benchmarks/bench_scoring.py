"""The CPU time of one update of a story, by the size of the story.

    python benchmarks/bench_scoring.py

An update applies one new signal, or 20 at once, to a ledger that was scored before, and scores the story. The figure is
the CPU time of this process, the best of many rounds, since other processes only add to it. There is no I/O.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from ingest.signal import Author, Community, Counts, Signal
from scoring import FigureIndex, Ledger, Reading, StoryState, score, sentiment

NOW_MS = 1_704_000_000_000
ROUNDS = 60


def signal(index: int, rng: random.Random) -> tuple[Signal, Reading]:
    """Return item ``number``: one in five is a post, the rest are replies to one of the last posts."""
    root = index // 5 * 5
    created_ms = NOW_MS - 2_000_000 + index
    post = index == root
    return Signal(
        id=f"reddit:{index}",
        kind="post" if post else "reply",
        platform="reddit",
        thread=f"reddit:{root}",
        author=Author(f"author{rng.randrange(500)}"),
        community=Community(f"community{rng.randrange(9)}", 100_000),
        title="A title as long as titles are, on the whole" if post else None,
        counts=Counts(likes=rng.randrange(1000), replies=rng.randrange(50), like_ratio=0.9 if post else None),
        created_ms=created_ms,
        observed_ms=created_ms,
    ), Reading(sentiment=None if post else 1)


def best_us(run: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> float:
    """Return the CPU time of the fastest of many runs, in microseconds."""
    fastest = float("inf")
    for _ in range(ROUNDS):
        prepare()
        began_ns = time.process_time_ns()
        run()
        fastest = min(fastest, (time.process_time_ns() - began_ns) / 1000)
    return fastest


class Cost(NamedTuple):
    """The cost of a ledger of one size, in microseconds. ``encoded``: its bytes."""

    one: float
    twenty: float
    score: float
    encode: float
    decode: float
    encoded: int


def cost(size: int) -> Cost:
    """Return the cost of a ledger to which ``size`` signals were applied."""
    rng = random.Random(size)
    full = Ledger()
    for index in range(size):
        full.apply(*signal(index, rng))
    encoded = full.encode()
    ledger = Ledger()
    batch: list[tuple[Signal, Reading]] = []
    begins = itertools.count(size, 20)

    def prepare(signals: int) -> None:
        nonlocal ledger, batch
        begin = next(begins)
        ledger, batch = Ledger.decode(encoded), [signal(index, rng) for index in range(begin, begin + signals)]
        score(ledger, NOW_MS - 1)

    def update() -> None:
        for one, reading in batch:
            ledger.apply(one, reading)
        score(ledger, NOW_MS)

    return Cost(
        best_us(update, lambda: prepare(1)),
        best_us(update, lambda: prepare(20)),
        best_us(lambda: score(full, NOW_MS)),
        best_us(full.encode),
        best_us(lambda: Ledger.decode(encoded)),
        len(encoded),
    )


def main() -> None:
    """Print one table."""
    score(Ledger(), NOW_MS)  # reads the registry of public figures, once
    print("signals in the ledger | 1 signal and a score | 20 signals and a score | score | encode | decode | encoded")
    print("---|---|---|---|---|---|---")
    for size in (0, 20, 60, 120, 170, 1_000, 20_000, 1_000_000):
        *times, length = cost(size)
        print(" | ".join([f"{size}", *(f"{time_us:.0f} us" for time_us in times), f"{length} bytes"]))
    one, _ = signal(0, random.Random(0))
    index, remark = FigureIndex.default(), "I don't think that this is a good idea, and they know it."
    sentiment(remark)
    state = StoryState().encode()
    print(f"\nfigures of one title: {best_us(lambda: index.match(one)):.1f} us")
    print(f"sentiment of one remark: {best_us(lambda: sentiment(remark)):.1f} us")
    print(f"empty story's state, decoded and encoded: {best_us(lambda: StoryState.decode(state).encode()):.1f} us")


if __name__ == "__main__":
    main()
