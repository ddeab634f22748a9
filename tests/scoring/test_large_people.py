"""The people of a large story: estimated, in any order, and from what an earlier version kept."""

from __future__ import annotations

import random

import msgspec
import pytest
from msgspec.structs import replace

from ingest.signal import Author, Counts, Signal
from scoring import UNREAD, Ledger, makeup, score, spike
from tests.scoring.batch_oracle import answer
from tests.scoring.stories import ledger_of
from tests.scoring.test_people import HOUR_MS, T0, feed, post, words


def crowd(seed: int, items: int) -> list[Signal]:
    """Return a large story of people who say their own words, copy, and say the same again."""
    rng = random.Random(seed)
    found = []
    for number in range(items):
        chance = rng.random()
        text = (
            "Claim your free coins now"
            if chance < 0.3
            else words(rng)
            if chance < 0.8
            else f"the news is {number % 40}"
        )
        author = Author(f"a{rng.randrange(items // 3)}") if rng.random() < 0.9 else None
        at_ms = T0 + int(rng.triangular(0, 3 * HOUR_MS, 3 * HOUR_MS))
        url = rng.choice((None, None, f"https://d{rng.randrange(3)}.example/{rng.randrange(60)}"))
        found.append(
            post(50_000 + number, at_ms, author=author, text=text, url=url, counts=Counts(likes=rng.randrange(5)))
        )
    return sorted(found, key=lambda signal: signal.observed_ms)


@pytest.mark.parametrize("items", [300, 900])
def test_the_people_of_a_large_story_are_estimated(items: int) -> None:
    signals = crowd(items, items)
    now_ms = T0 + 3 * HOUR_MS
    ledger = ledger_of(*signals)
    found, true = score(ledger, now_ms, tiers={}), answer([(one, UNREAD) for one in signals], now_ms, {})
    assert found.velocity_per_hour == pytest.approx(true.velocity, rel=0.25)
    assert found.noise == pytest.approx(true.noise, abs=1.5)
    made, (copies, _, _, originals) = makeup(ledger), true.makeup
    assert made.copies == pytest.approx(copies, abs=0.15)
    assert made.originals == pytest.approx(originals, rel=0.2)
    assert made.one_domain == pytest.approx(true.makeup[2], abs=0.15)
    first = now_ms // spike.BUCKET_MS - 12
    counted = ledger.counts(first * spike.BUCKET_MS, 12)
    assert sum(counted) == pytest.approx(sum(true.people_by_five_minutes[first + n] for n in range(12)), rel=0.3)


def test_the_people_of_a_large_story_are_the_same_in_any_order_and_after_restarts() -> None:
    signals = crowd(5, 700)
    now_ms = T0 + 3 * HOUR_MS
    whole = ledger_of(*signals)
    first = now_ms // spike.BUCKET_MS * spike.BUCKET_MS - HOUR_MS
    shuffled = signals + signals[:150]
    random.Random(5).shuffle(shuffled)
    merged = ledger_of(*shuffled[::2])
    merged.merge(ledger_of(*shuffled[1::2]))
    restarted = Ledger()
    for number, signal in enumerate(signals):
        restarted.apply(signal)
        if number % 40 == 0:
            restarted = Ledger.decode(restarted.encode())
    small = ledger_of(*signals[:20])
    small.merge(whole)

    def people(ledger: Ledger) -> object:
        found = score(ledger, now_ms, tiers={})
        return (
            found.velocity_per_hour,
            found.factors.engagement,
            found.factors.reach,
            ledger.counts(first, 12),
            makeup(ledger),
        )

    assert not score(whole, now_ms, tiers={}).inputs.exact
    assert score(restarted, now_ms, tiers={}) == score(whole, now_ms, tiers={})
    for ledger in (ledger_of(*shuffled), merged, restarted, small):
        assert people(ledger) == people(whole)


def test_a_feed_in_a_large_story_brings_no_new_coverage() -> None:
    """As far as its items are remembered: a sample of them."""
    talk = crowd(7, 300)
    ledger = ledger_of(*feed(0, 40), *talk)
    before = score(ledger, T0 + 72 * HOUR_MS, tiers={})
    assert ledger.sketches is not None
    remembered = 0
    for one in feed(1, 40):
        covered_ms = ledger.runs[-1][1]
        ledger.apply(one)
        remembered += ledger.runs[-1][1] == covered_ms
    assert remembered >= 20
    assert before.velocity_per_hour == 0


def test_a_large_story_of_an_earlier_version_counts_its_items_until_it_has_voices() -> None:
    signals = crowd(8, 400)
    now_ms = T0 + 3 * HOUR_MS
    stored = msgspec.msgpack.decode(ledger_of(*signals).encode()[1:])
    stored[7] = stored[7][:7]
    earlier = Ledger.decode(b"\x01" + msgspec.msgpack.encode(stored))
    items = score(earlier, now_ms, tiers={}).windows["1h"].items
    assert score(earlier, now_ms, tiers={}).velocity_per_hour == pytest.approx(items, rel=0.25)
    first = now_ms // spike.BUCKET_MS * spike.BUCKET_MS
    assert sum(earlier.counts(first - HOUR_MS, 12)) == pytest.approx(items, rel=0.25)
    assert earlier.counts(first - 4 * HOUR_MS, 1) == [0]
    own = replace(signals[-1], id="reddit:new", thread="reddit:new", created_ms=now_ms, observed_ms=now_ms)
    earlier.apply(own)
    assert earlier.counts(first, 1) == [1]
    assert makeup(earlier).originals == 1


def test_a_large_storm_is_as_loud_as_two_posts() -> None:
    storm = [post(n, T0 + n * 1000, title=f"Claim your free coins now {n}") for n in range(500)]
    found = score(ledger_of(*storm), storm[-1].observed_ms, tiers={})
    assert found.inputs.people == pytest.approx(100, rel=0.1)
    assert found.noise < 19.3
