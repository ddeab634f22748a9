"""The factors of an explanation add up to the score, and its changes have their stated effect."""

from __future__ import annotations

import pytest

from scoring import EvidenceSet, Factors, Ledger, Score, score
from streams.records.noise_score import decode_score
from streams.records.stories import StoryInfo
from streams.score.explaining import Explained, explain_score
from streams.score.render import score_record
from tests.scoring.stories import HOUR_MS, NOW_MS, TIERS, large_story, seeded_story

STORY = StoryInfo("st_1", "slug", "title", "ai", NOW_MS)


def explanation(scored: Score) -> Explained:
    record = score_record(STORY, scored, EvidenceSet(), state="trending", previous=None, at_ms=NOW_MS)
    return explain_score(decode_score(b"st_1", record))


@pytest.mark.parametrize("seed", range(5))
def test_the_factors_add_up_to_the_raw_noise(seed: int) -> None:
    ledger = Ledger()
    for signal, reading in seeded_story(seed):
        ledger.apply(signal, reading)
    found = score(ledger, NOW_MS + 30 * HOUR_MS, tiers=TIERS)
    why = explanation(found)
    points = [factor.points for factor in why.factors.values()]
    assert sum(points) == pytest.approx(found.raw, abs=1e-9)
    assert set(why.factors) == set(Factors.__struct_fields__)
    assert points == sorted(points, reverse=True)
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
