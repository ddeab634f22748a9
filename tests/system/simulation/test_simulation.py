"""Resolve and score in memory, by seed: kills, rebalances, delays and merges never change the result."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from ingest.signal import Counts, Signal, key
from scoring import Ledger, score
from streams.records.stories import OperatorCommand
from tests.system.pipeline.recording import MINUTE_MS, make
from tests.system.simulation.house_in_memory import LATER_MS, SOURCES, Result, run
from transport.partitioning import partition_of


def by_hand(signals: Sequence[Signal], result: Result) -> dict[str, float]:
    ledgers: defaultdict[str, Ledger] = defaultdict(Ledger)
    times_ms: defaultdict[int, int] = defaultdict(int)
    for signal in signals:
        source = partition_of(key(signal), SOURCES)
        times_ms[source] = max(times_ms[source], signal.observed_ms)
        for story in result.threads.get(signal.thread, ()):
            if times_ms[source] <= result.forgotten.get(story, times_ms[source]):
                ledgers[story].apply(signal)
    end_ms = max(signal.observed_ms for signal in signals)
    return {story: score(ledger, end_ms, tiers={}).noise for story, ledger in ledgers.items()}


def recording(seed: int) -> list[Signal]:
    """Return a recording in which stories spike: some posts get many replies at once, and some are taken back."""
    chance = random.Random(seed)
    signals = make(seed, replies=16, observations=3, span_minutes=400)
    for post in [signal for signal in signals if signal.is_root and chance.random() < 0.15]:
        for number in range(chance.randrange(6, 14)):
            # Some replies are observed a little before the post itself.
            at_ms = post.observed_ms + chance.randrange(-15_000, 8 * MINUTE_MS)
            reply = replace(
                post, id=f"{post.id}b{number}", kind="reply", title=None, created_ms=at_ms, observed_ms=at_ms
            )
            signals.append(reply)
    whim = random.Random(f"{seed}: taken back")
    signals += [
        replace(
            post,
            title=None,
            counts=Counts(),
            deleted=True,
            observed_ms=post.observed_ms + whim.randrange(40 * MINUTE_MS),
        )
        for post in signals
        if whim.random() < 0.05
    ]
    # Signals are published slightly out of order, but no reply a minute before its post: it would be ignored.
    return sorted(signals, key=lambda signal: signal.observed_ms + chance.choice((0, 0, 0, 10_000, 30_000)))


def undisturbed(signals: Sequence[Signal], orders: Sequence[OperatorCommand] = ()) -> Result:
    result = asyncio.run(run(0, signals, disturbances=0, resolvers=1, orders=orders))
    assert result.noise == pytest.approx(by_hand(signals, result), abs=1e-9)
    return result


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_disturbances_do_not_change_the_result(seed: int) -> None:
    signals = recording(seed)
    expected = undisturbed(signals)
    assert any(b'"type":"merged"' in event for event in expected.events)
    for whim in range(6):
        result = asyncio.run(run(100 * seed + whim, signals, disturbances=6, resolvers=2 + whim % 2))
        assert result.threads == expected.threads
        assert result.forgotten == expected.forgotten
        assert result.noise == expected.noise
        assert result.lifecycles == expected.lifecycles
        assert result.events == expected.events


def test_records_of_expired_stories_are_deleted_and_nothing_else_changes() -> None:
    signals = recording(1)
    expected = undisturbed(signals)
    assert expected.forgotten
    result = asyncio.run(run(5, signals, disturbances=0, keep_forgotten_seconds=1.0))
    assert result.forgotten.keys() < expected.forgotten.keys()
    assert len(result.threads) < len(expected.threads)
    assert (result.noise, result.lifecycles, result.events) == (expected.noise, expected.lifecycles, expected.events)


@pytest.mark.slow
def test_operator_commands_are_carried_out_again_in_every_replay() -> None:
    signals = recording(2)
    before = undisturbed(signals)
    roots = list(dict.fromkeys(signal.thread for signal in signals if signal.is_root))
    founders = [thread for thread in roots if f"st_{thread}".encode() in b"".join(before.events)]
    first, second, third, *_ = founders
    pinned = roots[-1]
    orders = [
        OperatorCommand("merge", f"st_{second}", f"st_{first}"),
        OperatorCommand("block", f"st_{third}"),
        OperatorCommand("pin", pinned, f"st_{first}"),
    ]
    expected = undisturbed(signals, orders)
    assert expected != before
    assert expected.threads[third] == ()
    assert expected.threads[pinned] == expected.threads[first] == expected.threads[second]
    for whim in range(3):
        assert asyncio.run(run(whim, signals, disturbances=6, orders=orders)) == expected


def test_a_signal_from_years_ahead_changes_nothing() -> None:
    """The producer writes a record's timestamp, so a false one could end every story."""
    signals = make(5)
    ahead = replace(signals[0], observed_ms=LATER_MS + 2 * 86_400_000)
    assert asyncio.run(run(0, signals, disturbances=0, strays=[ahead])) == undisturbed(signals)
