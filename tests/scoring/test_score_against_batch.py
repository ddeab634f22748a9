"""A score is what the batch oracle makes of the list of signals, whatever came in what order and how often."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Assessment, Factors, Ledger, Score, makeup, score
from tests.scoring.batch_oracle import Answer, answer
from tests.scoring.stories import HOUR_MS, NOW_MS, TIERS, Seen, ledger_of, seeded_story, stories


def assert_agrees(found: Score, expected: Answer) -> None:
    for name, value in expected.factors.items():
        assert getattr(found.factors, name) == pytest.approx(value, abs=1e-9), name
    assert found.noise == pytest.approx(expected.noise, abs=1e-9)
    assert found.raw == pytest.approx(expected.raw, abs=1e-9)
    assert found.decay == pytest.approx(expected.decay, abs=1e-12)
    assert (found.first_seen_ms, found.last_coverage_ms) == (expected.first_seen_ms, expected.last_coverage_ms)
    assert found.figures == expected.figures
    assert found.velocity_per_hour == expected.velocity
    assert {name: platform.interactions for name, platform in found.platforms.items()} == expected.interactions
    for name, window in expected.windows.items():
        mine = found.windows[name]
        assert mine.items == window["items"], name
        assert mine.authors == window["authors"], name
        assert mine.interactions == window["interactions"], name
        assert mine.audience == pytest.approx(window["audience"], abs=0.51), name
        assert {p: (t.items, t.interactions) for p, t in mine.platforms.items()} == window["platforms"], name


def assert_counts_agree(ledger: Ledger, expected: Answer) -> None:
    """Assert who speaks, by five minutes and in all."""
    for five_minutes, people in expected.people_by_five_minutes.items():
        assert ledger.counts(five_minutes * 300_000, 1) == [people]
    first, last = min(expected.people_by_five_minutes), max(expected.people_by_five_minutes)
    if last - first < 1000:
        counted = ledger.counts(first * 300_000, last - first + 1)
        assert counted == [expected.people_by_five_minutes.get(at, 0) for at in range(first, last + 1)]
    found = makeup(ledger)
    assert (found.copies, found.one_author, found.one_domain, found.originals) == pytest.approx(expected.makeup)
    assert found.uncounted == expected.dropped


@given(seen=stories(), later_ms=st.integers(0, 400 * HOUR_MS), data=st.data())
@settings(max_examples=50, deadline=None)
def test_streams_in_any_order_with_duplicates_agree_with_the_batch(
    seen: list[Seen], later_ms: int, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(seen), max_size=5))
    order = data.draw(st.permutations(seen + again))
    ledger, expected = ledger_of(*order), answer(seen, NOW_MS + later_ms, TIERS)
    assert_agrees(score(ledger, NOW_MS + later_ms, tiers=TIERS), expected)
    assert_counts_agree(ledger, expected)
    assert_counts_agree(Ledger.decode(ledger.encode()), expected)


@given(seen=stories(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_earlier_scores_do_not_change_later_ones(seen: list[Seen], data: st.DataObject) -> None:
    """Sums are carried from one score to the next, whatever arrives, changes or ages in between."""
    ledger, t_ms = Ledger(), NOW_MS
    for seen_at_once in data.draw(st.permutations([seen[:4], seen[4:9], seen[2:], seen[9:], []])):
        for signal, reading in seen_at_once:
            ledger.apply(signal, reading)
        t_ms += data.draw(st.sampled_from((0, 0, 1, 60_000, 250_000, HOUR_MS, 23 * HOUR_MS)))
        if data.draw(st.booleans()):
            ledger.merge(ledger_of(*seen[:3]))
        for at_ms in (t_ms, t_ms - 2 * HOUR_MS):
            expected = score(Ledger.decode(ledger.encode()), at_ms, tiers=TIERS)
            assert score(ledger, at_ms, tiers=TIERS) == expected


@pytest.mark.parametrize("seed", range(40))
def test_golden_ledgers(seed: int) -> None:
    seen = seeded_story(seed, items=5 + 4 * seed)
    ledger = ledger_of(*seen)
    ledger.assessment = Assessment(NOW_MS, 10.0 + seed, "policy")
    t_ms = NOW_MS + seed * HOUR_MS
    assert_agrees(score(ledger, t_ms, tiers=TIERS), answer(seen, t_ms, TIERS, 10.0 + seed))
    assert_agrees(score(Ledger.decode(ledger.encode()), t_ms, tiers=TIERS), answer(seen, t_ms, TIERS, 10.0 + seed))


@given(seen=stories(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_merge_scores_the_union(seen: list[Seen], data: st.DataObject) -> None:
    sides = data.draw(st.lists(st.sampled_from((1, 2, 3)), min_size=len(seen), max_size=len(seen)))
    left = ledger_of(*[one for one, side in zip(seen, sides, strict=True) if side & 1])
    right = ledger_of(*[one for one, side in zip(seen, sides, strict=True) if side & 2])
    kept = right.encode()
    left.merge(right)
    assert right.encode() == kept
    whole = ledger_of(*seen)
    assert left == whole
    assert score(left, NOW_MS, tiers=TIERS) == score(whole, NOW_MS, tiers=TIERS)
    left.merge(right)
    assert left == whole


@given(seen=stories(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_scores_are_equal_to_the_last_bit_in_any_order(seen: list[Seen], data: st.DataObject) -> None:
    order = data.draw(st.permutations(seen))
    assert score(ledger_of(*order), NOW_MS, tiers=TIERS) == score(ledger_of(*seen), NOW_MS, tiers=TIERS)


@given(seen=stories(), age_ms=st.integers(0, 40 * HOUR_MS))
@settings(max_examples=25, deadline=None)
def test_items_covered_after_t_do_not_count_yet(seen: list[Seen], age_ms: int) -> None:
    """Items are left out by the time of coverage, whatever the caller applies."""
    t_ms = NOW_MS - age_ms
    past = [(signal, reading) for signal, reading in seen if min(signal.created_ms, signal.observed_ms) <= t_ms]
    future = [(signal, reading) for signal, reading in seen if min(signal.created_ms, signal.observed_ms) > t_ms]
    if not past or {signal.id for signal, _ in past} & {signal.id for signal, _ in future}:
        return
    mine = score(ledger_of(*past + future), t_ms, tiers={})
    alone = score(ledger_of(*past), t_ms, tiers={})
    assert (mine.factors, mine.noise, mine.windows) == (alone.factors, alone.noise, alone.windows)


@given(seen=stories())
@settings(max_examples=25, deadline=None)
def test_factors_stay_within_0_to_100(seen: list[Seen]) -> None:
    found = score(ledger_of(*seen), NOW_MS, tiers=TIERS)
    for name in Factors.__struct_fields__:
        assert 0 <= getattr(found.factors, name) <= 100
    assert 0 <= found.noise <= found.raw <= 100


@given(seen=stories(most=12), data=st.data())
@settings(max_examples=25, deadline=None)
def test_more_items_never_lower_what_only_grows(seen: list[Seen], data: st.DataObject) -> None:
    """Polarity weighs for and against, impact is assessed, and duration starts again after a gap: these may fall.

    So may all that copies count for, once their authors turn out to say nothing else.
    """
    seen = [(msgspec.structs.replace(signal, title=None, text=None), reading) for signal, reading in seen]
    fewer = data.draw(st.lists(st.sampled_from(seen), min_size=1, unique_by=id))
    ids = {signal.id for signal, _ in fewer}
    fewer = [(signal, reading) for signal, reading in seen if signal.id in ids]
    small, large = score(ledger_of(*fewer), NOW_MS, tiers=TIERS), score(ledger_of(*seen), NOW_MS, tiers=TIERS)
    for name in ("reach", "engagement", "star_power", "cross_platform"):
        assert getattr(small.factors, name) <= getattr(large.factors, name) + 1e-9, name


def test_an_empty_story_makes_no_noise() -> None:
    found = score(Ledger(), NOW_MS)
    assert (found.noise, found.decay, found.first_seen_ms, found.last_coverage_ms) == (0.0, 0.0, 0, 0)
    assert all(window.items == 0 for window in found.windows.values())


def test_golden_ledgers_differ_by_seed() -> None:
    """The generator does not return the same ledger for all seeds."""
    noises = {score(ledger_of(*seeded_story(seed)), NOW_MS).noise for seed in range(40)}
    assert len(noises) == 40


def test_shuffling_changes_only_the_order() -> None:
    seen = seeded_story(7)
    shuffled = seen[:]
    random.Random(1).shuffle(shuffled)
    assert shuffled != seen
    assert ledger_of(*shuffled) == ledger_of(*seen)
