"""Distinct count: how many different numbers were added, in fixed space.

Owns the sketch: HyperLogLog (Flajolet et al., AofA 2007) as implemented by Apache DataSketches. Must never know what is
counted.
"""

from __future__ import annotations

from collections.abc import Iterable

from datasketches import hll_sketch, hll_union, tgt_hll_type


class DistinctCount:
    """Counts different 64-bit numbers: exactly while few, then with a standard error of 1.04/√2^lg_k.

    Order and repetition do not matter. Encoded it takes 40 + 2^(lg_k - 1) bytes, or a few more.

    >>> count = DistinctCount(8)
    >>> for number in (3, 1, 3): count.add(number)
    >>> round(count.estimate())
    2
    """

    __slots__ = ("_sketch", "lg_k")

    def __init__(self, lg_k: int, encoded: bytes | None = None) -> None:
        self.lg_k = lg_k
        self._sketch = (
            hll_sketch(lg_k, tgt_hll_type.HLL_4) if encoded is None else hll_sketch.deserialize(bytes(encoded))
        )

    def add(self, number: int) -> None:
        """Count ``number`` (64 bits), once however often it comes."""
        self._sketch.update(number)

    def merge(self, other: DistinctCount) -> None:
        """Count all numbers that ``other`` has counted."""
        union = hll_union(self.lg_k)
        union.update(self._sketch)
        union.update(other._sketch)
        self._sketch = union.get_result(tgt_hll_type.HLL_4)

    def estimate(self) -> float:
        """Return an estimate of how many different numbers were added."""
        return union_estimate(self.lg_k, (self,))

    def encode(self) -> bytes:
        """Return the sketch in the format of Apache DataSketches."""
        encoded: bytes = self._sketch.serialize_compact()
        return encoded


def union_estimate(lg_k: int, counts: Iterable[DistinctCount]) -> float:
    """Return an estimate of how many different numbers were added to any of ``counts``.

    A sketch that was only ever added to uses an estimator (HIP) that depends on the order of the numbers. A merged one
    in its full form does not. So the union is merged once more with itself, which changes no register.
    """
    union = hll_union(lg_k)
    for count in counts:
        union.update(count._sketch)  # noqa: SLF001 (of a class of this file)
    union.update(union.get_result())
    estimate: float = union.get_estimate()
    return estimate
