"""The whole path in memory, by seed: killed, taken for dead, slow, merging stories, and always the same comes of it."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from ingest.signal import Signal
from scoring import Ledger, score
from tests.pipeline.recording import MINUTE_MS, make
from tests.streams.house_in_memory import Result, run


def by_hand(signals: Sequence[Signal], threads: dict[str, tuple[str, ...]]) -> dict[str, float]:
    ledgers: defaultdict[str, Ledger] = defaultdict(Ledger)
    for signal in signals:
        for story in threads.get(signal.thread, ()):
            ledgers[story].apply(signal)
    end_ms = max(signal.observed_ms for signal in signals)
    return {story: score(ledger, end_ms, tiers={}).noise for story, ledger in ledgers.items()}


def recording(seed: int) -> list[Signal]:
    """Return a recording in which stories spike: some posts are seen to be replied to a lot at once."""
    chance = random.Random(seed)
    signals = make(seed, replies=16, observations=3, span_minutes=400)
    for post in [signal for signal in signals if signal.is_root and chance.random() < 0.15]:
        for number in range(chance.randrange(6, 14)):
            # Some are seen a little before the post itself.
            at_ms = post.observed_ms + chance.randrange(-15_000, 8 * MINUTE_MS)
            reply = replace(
                post, id=f"{post.id}b{number}", kind="reply", title=None, created_ms=at_ms, observed_ms=at_ms
            )
            signals.append(reply)
    # What was observed first is not always published first; no reply a minute before its post, it would be ignored.
    return sorted(signals, key=lambda signal: signal.observed_ms + chance.choice((0, 0, 0, 10_000, 30_000)))


def undisturbed(signals: Sequence[Signal]) -> Result:
    result = asyncio.run(run(0, signals, disturbances=0, resolvers=1))
    assert result.noise == pytest.approx(by_hand(signals, result.threads), abs=1e-9)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_same_comes_of_it(seed: int) -> None:
    signals = recording(seed)
    expected = undisturbed(signals)
    assert any(b'"type":"merged"' in event for event in expected.events)
    for whim in range(6):
        result = asyncio.run(run(100 * seed + whim, signals, disturbances=6, resolvers=2 + whim % 2))
        assert result.threads == expected.threads
        assert result.noise == expected.noise
        assert result.lifecycles == expected.lifecycles
        assert result.events == expected.events
