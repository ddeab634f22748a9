"""The load: at which rate signals are published and scored, and for how long nothing was emitted.

Owns the rate, and fills recordings up to it. Must never know the faults.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from hubbub.world.items import Post
from hubbub.world.platforms.reddit.things import link
from hubbub.world.world import World
from ingest.platforms.reddit.convert import convert
from ingest.signal import Signal, encode

__all__ = ["Load", "Recording", "fill_up"]

Recording = Sequence[tuple[Signal, bytes]]
"""Signals in the order they were observed, with their bytes."""
INTENDED_PER_SECOND = 2_000
FILLED_PER_SECOND = 2_300
"""More than is intended, because a publisher waits for brokers that are away."""
SPANS = 200
"""A recording is filled up in this many equal parts of its time."""
SILENT_SECONDS = 1.0
"""Under this load each partition emits several times a second."""


class Load(msgspec.Struct, frozen=True):
    """The load of a run. Rates are in signals per second: until all were published, and until all were scored.

    A partition is silent when it emits nothing for more than a second. ``silent_seconds``: the longest such time.
    ``silent_share``: the share of the time of all partitions.
    """

    signals: int
    published_per_second: float
    scored_per_second: float
    silent_seconds: float
    silent_share: float

    @classmethod
    def of(
        cls,
        signals: int,
        *,
        began_ms: int,
        published_seconds: float,
        ended_ms: int,
        emitted_ms: Mapping[int, list[int]],
    ) -> Load:
        """Return the load of a run. ``emitted_ms``: when each partition emitted."""
        silences = [gap for times_ms in emitted_ms.values() for gap in _silences([began_ms, *times_ms, ended_ms])]
        seconds = (ended_ms - began_ms) / 1000
        share = sum(silences) / seconds / max(1, len(emitted_ms))
        return cls(signals, signals / published_seconds, signals / seconds, max(silences, default=0.0), share)

    def __str__(self) -> str:
        return (
            f"{self.signals} signals, published at {self.published_per_second:.0f}/s "
            f"(intended: {INTENDED_PER_SECOND}/s or more), all of them scored at {self.scored_per_second:.0f}/s; "
            f"a partition was silent for {self.silent_seconds:.1f} s at most, for {self.silent_share:.0%} of the time"
        )


def _silences(times_ms: Iterable[int]) -> Iterator[float]:
    for before_ms, after_ms in pairwise(sorted(times_ms)):
        if after_ms - before_ms > 1000 * SILENT_SECONDS:
            yield (after_ms - before_ms) / 1000


def fill_up(recording: Recording, world: World, seconds: float, chance: random.Random) -> Recording:
    """Return ``recording`` with more observations of the world's posts, so that it fills ``seconds`` evenly."""
    begin_ms, end_ms = recording[0][0].observed_ms, recording[-1][0].observed_ms
    width_ms = (end_ms - begin_ms) / SPANS
    taken = Counter(int((signal.observed_ms - begin_ms) / width_ms) for signal, _ in recording)
    posts, observations = world.posts("reddit"), list[Signal]()
    for span in range(SPANS):
        for _ in range(taken[span], int(FILLED_PER_SECOND * seconds / SPANS)):
            at_ms = int(begin_ms + width_ms * (span + chance.random()))
            if there := posts.until(at_ms):
                observations += _observe(posts.items[chance.randrange(there)], world, at_ms)
    return sorted(
        [*recording, *((signal, encode(signal)) for signal in observations)], key=lambda pair: pair[0].observed_ms
    )


def _observe(post: Post, world: World, at_ms: int) -> list[Signal]:
    """Return the signals that a collector converts ``post`` to at ``at_ms``."""
    return convert(link(post, world.communities, at_ms), at_ms).signals
