"""A sketched ledger: its errors and its size. Order and repetition do not matter."""

from __future__ import annotations

import random

import msgspec
import pytest

from ingest.signal import Author, Community, Counts, Signal
from scoring import Ledger, Reading, score
from scoring.ledger import MAX_ENCODED_BYTES, MAX_ITEMS
from scoring.score import measure
from tests.scoring.batch_oracle import answer
from tests.scoring.stories import HOUR_MS, NOW_MS, large_story, ledger_of


@pytest.mark.parametrize(("seed", "items"), [(1, 230), (2, 400), (3, 700), (4, 1000), (5, 1500), (6, 2500)])
def test_estimates_stay_within_three_standard_errors(seed: int, items: int) -> None:
    seen = large_story(seed, items)
    found, true = score(ledger_of(*seen), NOW_MS, tiers={}), answer(seen, NOW_MS, {})
    assert not found.inputs.exact
    assert found.noise == pytest.approx(true.noise, abs=1.0)
    for name, points in (("reach", 2.0), ("engagement", 2.0), ("polarity", 6.0)):
        assert getattr(found.factors, name) == pytest.approx(true.factors[name], abs=points), name
    for name in ("star_power", "duration", "cross_platform", "industry_impact"):
        assert getattr(found.factors, name) == pytest.approx(true.factors[name], abs=1e-9), name
    for name, relative in (("5m", 0.2), ("1h", 0.2), ("24h", 0.2), ("life", 0.2)):
        mine, theirs = found.windows[name], true.windows[name]
        assert mine.items == pytest.approx(theirs["items"], rel=relative, abs=2), name
        assert mine.authors == pytest.approx(theirs["authors"], rel=relative, abs=2), name
    assert found.windows["life"].authors == pytest.approx(true.windows["life"]["authors"], rel=0.07)
    assert found.windows["life"].interactions == pytest.approx(true.windows["life"]["interactions"], rel=0.2)
    assert (found.first_seen_ms, found.last_coverage_ms) == (true.first_seen_ms, true.last_coverage_ms)


def test_estimates_are_not_biased() -> None:
    """Over many stories the errors of the noise cancel out."""
    errors = []
    for seed in range(12):
        seen = large_story(100 + seed, 300)
        errors.append(score(ledger_of(*seen), NOW_MS, tiers={}).noise - answer(seen, NOW_MS, {}).noise)
    assert abs(sum(errors) / len(errors)) < 0.2


def test_a_ledger_is_exact_up_to_the_cap_and_sketched_beyond() -> None:
    seen = large_story(1, MAX_ITEMS)
    assert len({signal.id for signal, _ in seen}) == MAX_ITEMS
    ledger = ledger_of(*seen)
    assert score(ledger, NOW_MS, tiers={}).inputs.exact
    assert score(ledger, NOW_MS, tiers={}).noise == pytest.approx(answer(seen, NOW_MS, {}).noise, abs=1e-9)
    signal, reading = seen[0]
    ledger.apply(msgspec.structs.replace(signal, id="reddit:new", thread="reddit:new", kind="post"), reading)
    assert not score(ledger, NOW_MS, tiers={}).inputs.exact
    assert len(ledger.items) == MAX_ITEMS


def test_order_and_repetition_do_not_matter() -> None:
    seen = large_story(8, 600)
    first = score(ledger_of(*seen), NOW_MS, tiers={})
    for seed in range(3):
        order = seen + random.Random(seed).sample(seen, 200)
        random.Random(seed).shuffle(order)
        assert score(ledger_of(*order), NOW_MS, tiers={}) == first


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5])
def test_a_merge_samples_the_union(part: float) -> None:
    """Any merge equals one ledger of all signals, and repeating it changes nothing."""
    seen = large_story(9, 700)
    rng = random.Random(part)
    left = [one for one in seen if rng.random() < part]
    right = [one for one in seen if one not in left] + left[:20]
    whole = score(ledger_of(*seen), NOW_MS, tiers={})
    for ours, theirs in ((left, right), (right, left)):
        ledger, other = ledger_of(*ours), ledger_of(*theirs)
        ledger.merge(other)
        merged = score(ledger, NOW_MS, tiers={})
        assert merged.factors == whole.factors
        assert (merged.noise, merged.top) == (whole.noise, whole.top)
        ledger.merge(other)
        assert score(ledger, NOW_MS, tiers={}) == merged


def test_a_decoded_sketched_ledger_scores_the_same_now_and_later() -> None:
    seen = large_story(10, 500)
    ledger = ledger_of(*seen[:600])
    copy = Ledger.decode(ledger.encode())
    assert copy == ledger
    assert score(copy, NOW_MS, tiers={}) == score(ledger, NOW_MS, tiers={})
    for signal, reading in seen[600:]:
        ledger.apply(signal, reading)
        copy.apply(signal, reading)
    assert score(copy, NOW_MS, tiers={}) == score(ledger, NOW_MS, tiers={})


def test_an_item_leaves_the_sample_when_its_counts_fall() -> None:
    ledger = ledger_of(*large_story(11, 600))
    kept = max(ledger.items.values(), key=lambda item: item.likes)
    quiet = min(signal.created_ms for signal, _ in large_story(11, 600))
    index = next(signal for signal, _ in large_story(11, 600) if signal.counts.likes == kept.likes)
    ledger.apply(msgspec.structs.replace(index, counts=Counts(likes=0), observed_ms=NOW_MS + 1, created_ms=quiet))
    assert kept.key not in ledger.items
    shown = next(top for top in score(ledger, NOW_MS + 1).top if top.id == index.id)
    assert shown.interactions == kept.likes + 2 * kept.replies, "only its peak is known"


def test_scoring_and_encoding_in_between_change_nothing_though_counts_fall() -> None:
    rng = random.Random(17)

    def poll(signal: Signal, number: int) -> Signal:
        likes = int(rng.paretovariate(0.5)) % 1000
        return msgspec.structs.replace(signal, counts=Counts(likes=likes), observed_ms=signal.observed_ms + number)

    large = sorted(large_story(17, 400), key=lambda one: one[0].observed_ms)
    seen = [(poll(signal, number), reading) for signal, reading in large for number in range(4)]
    whole = score(ledger_of(*seen), NOW_MS, tiers={})
    for every in (3, 40):
        ledger = Ledger()
        for number, one in enumerate(seen):
            ledger.apply(*one)
            if number % every == 0:
                score(ledger, NOW_MS, tiers={})
                ledger = Ledger.decode(ledger.encode())
        assert score(ledger, NOW_MS, tiers={}) == whole


def test_the_first_score_of_a_sketched_ledger_uses_the_sketches() -> None:
    """Sums over all items are not valid for the sample that replaces them."""
    seen = large_story(4, 600)
    ledger = ledger_of(*seen[:150])
    score(ledger, NOW_MS, tiers={})
    for one, reading in seen[150:]:
        ledger.apply(one, reading)
    assert score(ledger, NOW_MS, tiers={}) == score(ledger_of(*seen), NOW_MS, tiers={})
    small = ledger_of(*large_story(5, 20))
    score(small, NOW_MS, tiers={})
    small.merge(ledger)
    assert score(small, NOW_MS, tiers={}) == score(Ledger.decode(small.encode()), NOW_MS, tiers={})


def test_the_next_fall_of_a_sketched_velocity_is_predicted() -> None:
    """Otherwise its state would not be decided when it is due to fall."""
    t_ms = NOW_MS
    ledger = ledger_of(*large_story(6, 400))
    falls = 0
    while (now := measure(ledger, t_ms, alarmed=False, tiers={})).velocity_per_hour:
        due_ms = now.hour_begins_ms + HOUR_MS
        assert due_ms > t_ms
        before = measure(ledger, due_ms - 1, alarmed=False, tiers={}).velocity_per_hour
        assert before == now.velocity_per_hour, "not before"
        t_ms, falls = due_ms, falls + 1
    assert falls > 3
    assert now.hour_begins_ms == 0


def test_the_future_of_a_sketched_ledger_does_not_count_yet() -> None:
    seen = large_story(12, 600)
    t_ms = NOW_MS - 3 * HOUR_MS
    found = score(ledger_of(*seen), t_ms, tiers={})
    assert found.last_coverage_ms <= t_ms
    assert found.decay == 1.0


def test_the_audience_of_unknown_authors_comes_from_likes() -> None:
    """No authors, no communities, reposts among them, and a third of all items without any count."""
    anonymous = [
        (msgspec.structs.replace(signal, author=None, community=None, kind="repost"), reading)
        for signal, reading in large_story(13, 600)
        if signal.kind == "reply"
    ]
    bare = [
        (msgspec.structs.replace(signal, counts=Counts()), reading) if index % 3 == 0 else (signal, reading)
        for index, (signal, reading) in enumerate(anonymous)
    ]
    found, true = score(ledger_of(*bare), NOW_MS, tiers={}), answer(bare, NOW_MS, {})
    assert found.windows["life"].authors == 0
    assert set(found.inputs.audience.likes) == set(found.platforms)
    assert found.factors.reach == pytest.approx(true.factors["reach"], abs=2.0)
    assert found.factors.cross_platform == 0


def test_sketched_ledgers_of_different_days_merge_in_either_order() -> None:
    today = large_story(14, 400)
    week_ms = 7 * 24 * HOUR_MS
    before = [
        (
            msgspec.structs.replace(
                signal,
                id=f"{signal.id}.old",
                thread=f"{signal.thread}.old",
                created_ms=signal.created_ms - week_ms,
                observed_ms=signal.observed_ms - week_ms,
            ),
            reading,
        )
        for signal, reading in large_story(15, 400)
    ]
    whole = score(ledger_of(*today + before), NOW_MS, tiers={})
    for ours, theirs in ((today, before), (before, today)):
        ledger = ledger_of(*ours)
        ledger.merge(ledger_of(*theirs))
        merged = score(ledger, NOW_MS, tiers={})
        assert merged.factors == whole.factors
        assert merged.windows["24h"].items == whole.windows["24h"].items
    assert whole.windows["24h"].items == pytest.approx(score(ledger_of(*today), NOW_MS).windows["24h"].items, rel=0.01)


def test_the_latest_buckets_of_a_sketched_ledger_can_be_counted() -> None:
    seen = large_story(16, 500)
    start_ms = NOW_MS // 300_000 * 300_000 - 6 * 300_000
    counted = ledger_of(*seen).counts(start_ms, 7)
    spoken = {(signal.author, signal.created_ms) for signal, _ in seen}
    true = [
        len({author for author, at_ms in spoken if start_ms + n * 300_000 <= at_ms < start_ms + (n + 1) * 300_000})
        for n in range(7)
    ]
    assert counted == pytest.approx(true, abs=1)
    assert ledger_of(*seen).counts(start_ms - 100 * 300_000, 2) == [0, 0]


def hostile(index: int) -> tuple[Signal, Reading]:
    """Return a signal that fills everything a ledger keeps: each text as long as it may be, none seen before."""
    wide = "\U0001f4e2" * 400
    signal = Signal(
        id=f"{index:07}" + "i" * 505,
        kind="post" if index % 3 else "reply",
        platform=f"{index % 100:03}" + "p" * 61,
        thread=f"{index:07}",
        author=Author(f"{index}{wide}", 2**53 - 1 - index),
        community=Community(f"{index}{wide}", 2**53 - 1 - index) if index % 2 else None,
        title="".join(chr(97 + index // 26**place % 26) for place in range(12)) + wide,
        url=f"https://{index}.example/{index}",
        permalink="https://" + "p" * (292 if index % 2 else 122),
        counts=Counts(likes=2**52 + index, replies=2**52, shares=2**52, like_ratio=0.123456789),
        created_ms=NOW_MS + index * 8_000,
        observed_ms=NOW_MS + index * 8_000,
    )
    return signal, Reading(
        tuple(f"{(index * 5 + n) % 997:03}" + "\u00e9" * 80 for n in range(5)), -1 if index % 2 else 1
    )


def test_the_encoding_of_hostile_signals_stays_under_its_limit() -> None:
    ledger = Ledger()
    for index in range(12_000):
        ledger.apply(*hostile(index))
    encoded = ledger.encode()
    assert len(encoded) <= MAX_ENCODED_BYTES
    found = score(Ledger.decode(encoded), NOW_MS)
    assert found == score(ledger, NOW_MS)
    assert all(len(top.title.encode()) <= 400 for top in found.top)


SIGNALS = 200_000


@pytest.mark.slow
def test_two_hundred_thousand_signals_fit() -> None:
    """Nothing grows beyond a few thousand signals; benchmarks/bench_scoring.py goes to a million."""
    ledger, rng = Ledger(), random.Random(0)
    for index in range(SIGNALS):
        platform = f"p{index % 7}"
        signal = Signal(
            id=f"{platform}:{index}",
            kind="reply",
            platform=platform,
            thread=f"{platform}:{index % 1000}",
            author=Author(f"{rng.randrange(200_000)}", rng.randrange(10_000)),
            counts=Counts(likes=int(rng.paretovariate(0.9))),
            created_ms=NOW_MS + index * 100,
            observed_ms=NOW_MS + index * 100,
        )
        ledger.apply(signal)
    assert len(ledger.encode()) <= MAX_ENCODED_BYTES
    assert score(ledger, NOW_MS + 100_000_000).windows["life"].items == pytest.approx(SIGNALS, rel=0.1)
