"""Story state: all that scoring remembers of a story, encoded together.

Owns the step of a story through time (score, then spikes, then lifecycle), when the next one is due, and the encoding of
ledger, lifecycle and spike detector as one value. Must never know where that value is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from scoring.ledger import CorruptLedgerError, Ledger
from scoring.lifecycle import Lifecycle, Transition
from scoring.lifecycle import next_due_ms as next_lifecycle_ms
from scoring.lifecycle import step as step_lifecycle
from scoring.score import Score, score
from scoring.settings import DEFAULT, Settings, Tier
from scoring.spike import BUCKET_MS, Spike, SpikeChange, SpikeSettings
from scoring.spike import DEFAULT as SPIKE_DEFAULT
from scoring.spike import step as step_spike

__all__ = ["Step", "StoryState"]

VERSION = 1


class _Stored(msgspec.Struct, array_like=True):
    """The encoded form, version 1, after the byte that tells the version."""

    ledger: bytes
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


class Step(msgspec.Struct, frozen=True):
    """What came of a step: the score, and what changed, in order."""

    score: Score
    spikes: tuple[SpikeChange, ...]
    transitions: tuple[Transition, ...]


class StoryState(msgspec.Struct):
    """A story's ledger, its lifecycle and its spike detector.

    >>> StoryState.decode(StoryState().encode()) == StoryState()
    True
    """

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    lifecycle: Lifecycle = Lifecycle()
    spike: Spike = Spike()

    def step(
        self,
        t_ms: int,
        settings: Settings = DEFAULT,
        tiers: Mapping[str, Tier] | None = None,
        spike_settings: SpikeSettings = SPIKE_DEFAULT,
        pace: float = 1.0,
    ) -> Step:
        """Score the story at ``t_ms``, then let spike detector and lifecycle take their steps, in place.

        All signals of the buckets that have closed by ``t_ms`` should be in the ledger: one that comes later is scored,
        but no spike is found by it. Steps must not go back in time. ``tiers``: see :func:`scoring.score.score`;
        ``pace``: see :func:`scoring.spike.step`.
        """
        found = score(self.ledger, t_ms, settings, tiers)
        changes: tuple[SpikeChange, ...] = ()
        closed_ms = t_ms // BUCKET_MS * BUCKET_MS
        if found.first_seen_ms:
            begin_ms = self.spike.next_ms or found.first_seen_ms // BUCKET_MS * BUCKET_MS
            begin_ms = max(begin_ms, closed_ms - 2 * spike_settings.history * BUCKET_MS)
            counts = self.ledger.counts(begin_ms, max(0, (closed_ms - begin_ms) // BUCKET_MS))
            self.spike, changes = step_spike(self.spike, begin_ms, counts, pace, spike_settings)
        measures = found.measures(self.spike.alarm_ms != 0 or any(change.on for change in changes))
        self.lifecycle, transitions = step_lifecycle(self.lifecycle, measures, t_ms)
        return Step(found, changes, transitions)

    def next_due_ms(self, found: Score, t_ms: int, moved: float = 0.1, settings: Settings = DEFAULT) -> int | None:
        """Return the earliest time after ``t_ms`` at which a step could tell something new though no signal came.

        New is another state, an alarm that goes on or off, or a noise that ``moved`` so far by decay; None if that never
        comes. ``found`` is the score of the step at ``t_ms``.
        """
        due = [next_lifecycle_ms(self.lifecycle, found.measures(self.spike.alarm_ms != 0), t_ms, settings)]
        if self.spike.alarm_ms or any(self.spike.recent) or found.last_coverage_ms >= self.spike.next_ms:
            due.append((t_ms // BUCKET_MS + 1) * BUCKET_MS)
        if found.noise > moved:
            due.append(t_ms + math.ceil(settings.half_life_ms * math.log2(found.noise / (found.noise - moved))))
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def encode(self) -> bytes:
        """Return a compact, versioned encoding."""
        return bytes((VERSION,)) + _encoder.encode(_Stored(self.ledger.encode(), self.lifecycle, self.spike))

    @classmethod
    def decode(cls, encoded: bytes) -> StoryState:
        """Return the state that was encoded, by this version or an older one.

        Raises:
            CorruptLedgerError: these bytes are no state of a known version.
        """
        if encoded[:1] != bytes((VERSION,)):
            raise CorruptLedgerError(f"a story's state of version {encoded[:1].hex() or 'none'}; known is {VERSION}")
        try:
            stored = _decoder.decode(memoryview(encoded)[1:])
        except msgspec.DecodeError as error:
            raise CorruptLedgerError(f"not an encoded story's state: {error}") from error
        return cls(Ledger.decode(stored.ledger), stored.lifecycle, stored.spike)
