"""How much goes through: what is offered, what is held, and for how long nothing was told.

Owns the rate, and recordings that are filled up to it. Must never know what is done to the system meanwhile.
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
from tests.system.chaos.audit import Finding

__all__ = ["PROMISED_PER_SECOND", "Load", "Recording", "filled_up"]

Recording = Sequence[tuple[Signal, bytes]]
"""Signals in the order they were observed, with their bytes."""
PROMISED_PER_SECOND = 2_000
OFFERED_PER_SECOND = 2_300
"""More than is promised, since a publisher waits, too, for brokers that are gone."""
SPANS = 200
"""A recording is filled up in so many parts of its time, each to the same."""
SILENT_SECONDS = 1.0
"""Under this load each partition tells of some story several times a second."""


class Load(msgspec.Struct, frozen=True):
    """What went through. Rates are in signals a second: until all was published, and until all was scored.

    Of a partition that told nothing for more than a second it was silent: for how long at most, and for which share of
    the time of all partitions.
    """

    signals: int
    offered_per_second: float
    held_per_second: float
    silent_seconds: float
    silent_share: float

    @classmethod
    def of(
        cls, signals: int, *, began_ms: int, published_seconds: float, ended_ms: int, told_ms: Mapping[int, list[int]]
    ) -> Load:
        """Return the load of a run; ``told_ms``: when each partition told of a story."""
        silences = [gap for times_ms in told_ms.values() for gap in _silences([began_ms, *times_ms, ended_ms])]
        seconds = (ended_ms - began_ms) / 1000
        share = sum(silences) / seconds / max(1, len(told_ms))
        return cls(signals, signals / published_seconds, signals / seconds, max(silences, default=0.0), share)

    def __str__(self) -> str:
        return (
            f"{self.signals} signals, offered at {self.offered_per_second:.0f}/s, all of them scored at "
            f"{self.held_per_second:.0f}/s; a partition was silent for {self.silent_seconds:.1f} s at most, "
            f"for {self.silent_share:.0%} of the time in all"
        )

    def offered(self) -> Finding:
        """Hold what was offered against what is promised."""
        promise = f"{PROMISED_PER_SECOND} signals/s are offered"
        return Finding(promise, self.offered_per_second >= PROMISED_PER_SECOND, str(self))


def _silences(times_ms: Iterable[int]) -> Iterator[float]:
    for before_ms, after_ms in pairwise(sorted(times_ms)):
        if after_ms - before_ms > 1000 * SILENT_SECONDS:
            yield (after_ms - before_ms) / 1000


def filled_up(recording: Recording, world: World, seconds: float, chance: random.Random) -> Recording:
    """Return ``recording`` with so many further looks at the world's posts that it fills ``seconds`` evenly."""
    begin_ms, end_ms = recording[0][0].observed_ms, recording[-1][0].observed_ms
    width_ms = (end_ms - begin_ms) / SPANS
    taken = Counter(int((signal.observed_ms - begin_ms) / width_ms) for signal, _ in recording)
    posts, looks = world.posts("reddit"), list[Signal]()
    for span in range(SPANS):
        for _ in range(taken[span], int(OFFERED_PER_SECOND * seconds / SPANS)):
            at_ms = int(begin_ms + width_ms * (span + chance.random()))
            if there := posts.until(at_ms):
                looks += _look(posts.items[chance.randrange(there)], world, at_ms)
    return sorted([*recording, *((look, encode(look)) for look in looks)], key=lambda pair: pair[0].observed_ms)


def _look(post: Post, world: World, at_ms: int) -> list[Signal]:
    """Return what a collector makes of ``post`` at ``at_ms``."""
    return convert(link(post, world.communities, at_ms), at_ms).signals
