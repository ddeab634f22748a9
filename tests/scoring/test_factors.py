"""Factors, composite, decay and bands: the golden case, the ends of each scale, and that more is never less."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import Factors, Settings, band, compose, decay, raw
from scoring.factors.cross_platform import cross_platform
from scoring.factors.duration import duration
from scoring.factors.engagement import engagement, loudness
from scoring.factors.polarity import polarity, reply_split, vote_splits
from scoring.factors.reach import reach
from scoring.factors.star_power import star_power
from scoring.settings import Weights

GOLDEN = Factors(reach=38, engagement=83, star_power=15, duration=4, cross_platform=20, polarity=50, industry_impact=50)
DAY_MS = 86_400_000


def test_the_golden_case() -> None:
    assert raw(GOLDEN) == pytest.approx(39.85, abs=1e-9)
    assert compose(GOLDEN, decay=0.99) == pytest.approx(39.4515, abs=1e-9)
    assert band(compose(GOLDEN, decay=0.99)) == "murmur"


def test_each_weight_is_the_published_one() -> None:
    weights = {"reach": 0.2, "engagement": 0.2, "star_power": 0.15, "duration": 0.1}
    weights |= {"cross_platform": 0.15, "polarity": 0.1, "industry_impact": 0.1}
    assert Weights.__struct_fields__ == Factors.__struct_fields__
    silent = Factors(**dict.fromkeys(weights, 0.0))
    for name, weight in weights.items():
        assert raw(msgspec.structs.replace(silent, **{name: 100.0})) == pytest.approx(100 * weight)
    assert compose(Factors(**dict.fromkeys(weights, 100.0))) == pytest.approx(100)


@pytest.mark.parametrize(
    ("noise", "name"),
    [
        (0, "whisper"),
        (19.999, "whisper"),
        (20, "murmur"),
        (39.999, "murmur"),
        (40, "buzz"),
        (59.999, "buzz"),
        (60, "clamor"),
        (74.999, "clamor"),
        (75, "uproar"),
        (100, "uproar"),
    ],
)
def test_bands(noise: float, name: str) -> None:
    assert band(noise) == name


def test_decay_halves_each_week_and_never_grows() -> None:
    assert [decay(days * DAY_MS) for days in (0, 7, 14, 21)] == [1.0, 0.5, 0.25, 0.125]
    assert decay(-5) == 1.0
    assert decay(int(0.1015 * DAY_MS)) == pytest.approx(0.99, abs=1e-4)


def test_reach() -> None:
    assert [round(reach(10**n - 1), 6) for n in (0, 2, 4, 8, 9)] == [0, 25, 50, 100, 100]


def test_engagement() -> None:
    assert loudness({}) == 0
    very_loud = {
        "reddit": 50_000,
        "hackernews": 3_000,
        "x": 200_000,
        "bluesky": 30_000,
        "mastodon": 10_000,
        "youtube": 200_000,
        "lemmy": 3_000,
        "news": 1_000,
        "gab": 10_000,
    }
    for platform, count in very_loud.items():
        assert loudness({platform: count}) == 1.0, platform
    assert loudness(very_loud) == 9.0
    assert engagement(0.0099) == pytest.approx(50)
    assert (engagement(0), engagement(1), engagement(7)) == (0, 100, 100)


def test_star_power() -> None:
    assert [star_power([tier]) for tier in ("S", "A", "B", "C")] == [30, 20, 10, 5]
    assert star_power(["S"] * 4) == 100


def test_cross_platform_and_duration() -> None:
    assert [cross_platform(n) for n in (0, 1, 4, 5, 9)] == [0, 20, 80, 100, 100]
    assert [duration(hours * 3_600_000) for hours in (0, 18, 72, 500)] == [0, 25, 100, 100]


def test_polarity() -> None:
    assert vote_splits([(0.5, 0, 1), (0.75, 9, 1), (0.0, 10**6, 3)]) == [(0.0, 1.0), (2.0, 0.5), (30.0, 0.0)]
    assert reply_split(200, 200) == (100.0, 1.0)
    assert reply_split(7, 0) == (3.5, 0.0)
    assert polarity([(20.0, 0.0)]) == 25.0
    assert polarity([(0.0, 1.0)]) == 50.0


amounts = st.floats(0, 1e12)


@given(amounts, amounts)
def test_more_is_never_less(left: float, right: float) -> None:
    less, more = sorted((left, right))
    for factor in (reach, engagement, lambda x: cross_platform(int(x)), lambda x: duration(int(x))):
        assert 0 <= factor(less) <= factor(more) <= 100
    assert decay(int(less)) >= decay(int(more)) > 0 or decay(int(more)) == 0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), max_size=20))
def test_polarity_stays_within_its_scale(evidence: list[tuple[float, float]]) -> None:
    assert -1e-9 <= polarity(evidence) <= 100 + 1e-9


def test_a_platforms_constants_are_added_unless_they_contradict_known_ones() -> None:
    settings = Settings()
    settings.add_platform("gab", 500.0, None)
    settings.add_platform("gab", 500.0, None)
    assert settings.loud_interactions["gab"] == 500
    with pytest.raises(ValueError, match="gab"):
        settings.add_platform("gab", 600.0, None)
    with pytest.raises(ValueError, match="reddit"):
        settings.add_platform("reddit", 50_000.0, 1.0)
