"""The parts of an explanation add up to the score, and its changes have their stated effect."""

from __future__ import annotations

import pytest

from scoring import Explanation, Factors, Ledger, Measured, Score, explain, score
from tests.scoring.stories import HOUR_MS, NOW_MS, TIERS, large_story, seeded_story


def explanation(scored: Score) -> Explanation:
    inputs = scored.inputs
    measured = Measured(inputs.people, inputs.loudness, inputs.run_ms, inputs.posted_platforms)
    return explain(scored.factors, scored.decay, measured)


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_add_up_to_the_noise(seed: int) -> None:
    ledger = Ledger()
    for signal, reading in seeded_story(seed):
        ledger.apply(signal, reading)
    found = score(ledger, NOW_MS + 30 * HOUR_MS, tiers=TIERS)
    why = explanation(found)
    assert sum(part.points for part in why.parts) == pytest.approx(found.noise, abs=1e-9)
    assert {part.factor for part in why.parts} == set(Factors.__struct_fields__)
    assert [part.points for part in why.parts] == sorted((part.points for part in why.parts), reverse=True)
    assert [one.points for one in why.raises] == sorted((one.points for one in why.raises), reverse=True)


def test_a_named_change_raises_the_noise_by_its_points() -> None:
    seen = [(signal, reading) for signal, reading in seeded_story(3) if signal.platform == "reddit"]
    ledger = Ledger()
    for signal, reading in seen:
        ledger.apply(signal, reading)
    now = score(ledger, NOW_MS, tiers={})
    platform = next(one for one in explanation(now).raises if one.change == "one more platform")
    assert platform.points == pytest.approx(0.15 * 20 * now.decay)
    fresh = next(one for one in explanation(now).raises if one.change.startswith("new coverage"))
    assert now.noise + fresh.points == pytest.approx(now.raw)


def test_a_factor_at_its_maximum_cannot_be_raised() -> None:
    ledger = Ledger()
    for signal, reading in large_story(3, 2500):
        ledger.apply(signal, reading)
    found = score(ledger, NOW_MS, tiers={})
    assert found.factors.engagement == 100
    assert "twice the interactions" not in {one.change for one in explanation(found).raises}
