"""Curves and totals: what never falls, never overshoots, and can be turned round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.world.growth import Curve, Grown, Observed, Totals

curves = st.builds(Curve, st.floats(1e3, 1e9), st.floats(0.5, 4))
ages = st.floats(-1e6, 1e10)


@given(curves, ages, ages)
def test_a_curve_rises_from_nothing_to_all(curve: Curve, one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    assert 0 <= curve.share(earlier) <= curve.share(later) <= 1
    assert curve.share(0) == 0


@given(curves, st.floats(0, 0.99))
def test_the_age_of_a_share_has_that_share(curve: Curve, share: float) -> None:
    assert curve.share(curve.age_ms(share)) == pytest.approx(share, abs=1e-9)


@given(curves, st.integers(1, 10**6), st.floats(0.5, 1), st.integers(0, 10**9), st.integers(0, 10**9))
def test_votes_grow_from_the_authors_own_to_the_final_number(
    curve: Curve, final: int, ratio: float, one: int, other: int
) -> None:
    votes = Grown(0, final, curve, ratio)
    earlier, later = votes.at(min(one, other)), votes.at(max(one, other))
    assert votes.at(0).likes == 1
    assert earlier.likes is not None
    assert later.likes is not None
    assert 1 <= earlier.likes <= later.likes <= final
    assert later.like_ratio is not None
    assert min(ratio, 0.98) - 0.01 <= later.like_ratio <= max(ratio, 0.98) + 0.01


def test_the_last_observation_holds_until_the_next() -> None:
    votes = Observed([100, 200], [Totals(5, 1, 0.9), Totals(7, 2, 0.8)])
    assert [votes.at(now_ms).likes for now_ms in (99, 100, 199, 200, 10**9)] == [None, 5, 5, 7, 7]
