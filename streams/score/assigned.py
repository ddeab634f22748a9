"""A partition of ``story-activity`` in its owner's hands: each record in its turn, none left out, none twice.

Owns how far the partition is taken in and how far it is applied. Whatever hands out the records (Faust, after the group
formed anew) may hand out some again, or some from before: they are refused here. That it leaves one out is an error,
since records say of themselves what was sent before them. Pure.
"""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from streams.records.story_activity import decode_activities
from streams.score.output import Outcome
from streams.score.scorer import PartitionScorer

__all__ = ["MissingInputError", "Owned"]

T = TypeVar("T")


class MissingInputError(RuntimeError):
    """A record came before one that was to be read first: begin anew where the changelog says."""


class Owned(Generic[T]):
    """One partition. ``T``: whatever stands for a record with whoever hands it out."""

    def __init__(self, partition: int, begin: int, scorer: PartitionScorer) -> None:
        """``begin``: the offset to read on from; everything before it is in the states that ``scorer`` has."""
        self._partition = partition
        self.next = begin
        """The offset of the record to be taken next."""
        self.applied = begin
        """The first offset that is not known to be applied and confirmed."""
        self.scorer = scorer

    def take(self, offset: int, value: bytes, handle: T, monotonic: float) -> None:
        """Take in the record at ``offset``, unless it was taken before. ``handle`` is given back when it is applied.

        Raises:
            MissingInputError: it is not its turn yet.
        """
        if offset > self.next:
            raise MissingInputError(
                f"partition {self._partition} of story-activity: offset {self.next} was to come next, but {offset} came"
            )
        if offset == self.next:
            self.scorer.take(decode_activities(value), (offset, handle), monotonic)
            self.next = offset + 1

    def confirm(self, outcome: Outcome) -> list[T]:
        """Note that all of ``outcome`` is written and confirmed; return the handles of the records done by that."""
        done = cast(list[tuple[int, T]], outcome.done)
        if done:
            self.applied = done[-1][0] + 1
        return [handle for _, handle in done]
