"""The ratios follow from the counts, and a ratio without a case is unknown, not 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.evaluate.precision_recall import PrecisionRecall

counts = st.builds(PrecisionRecall, *[st.integers(0, 50)] * 3)


def test_ratios_without_a_case_are_unknown() -> None:
    assert PrecisionRecall(0, 0, 0).ratios() == {"precision": None, "recall": None, "f1": None}
    assert PrecisionRecall(0, 3, 0).ratios() == {"precision": 0, "recall": None, "f1": 0}
    assert PrecisionRecall(0, 0, 3).ratios() == {"precision": None, "recall": 0, "f1": 0}


@given(counts)
def test_f1_is_the_harmonic_mean(counted: PrecisionRecall) -> None:
    if counted.right:
        assert counted.precision
        assert counted.recall
        assert counted.f1 == pytest.approx(2 / (1 / counted.precision + 1 / counted.recall))


@given(counts, counts)
def test_counts_of_two_parts_add_up(one: PrecisionRecall, other: PrecisionRecall) -> None:
    both = one + other
    assert (both.right, both.false, both.missed) == (
        one.right + other.right,
        one.false + other.false,
        one.missed + other.missed,
    )
