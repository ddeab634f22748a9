"""One assigned partition of ``story-activity``: each record is taken once, in order, and none is left out.

Owns how far the partition is read and how far it is applied. After a rebalance, an input may hand out records again, or
records from before: they are ignored here. A record that is left out is an error, because records state what was sent
before them. Pure.
"""

from collections import deque
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from streams.records.story_activity import decode_activities
from streams.score.output_batch import OutputBatch
from streams.score.scorer import PartitionScorer
from transport.errors import RestartError
from transport.offsets import locate


class InputRecord(NamedTuple):
    """A record of ``story-activity``. ``generation``: of the consumer group, when the record was fetched."""

    partition: int
    offset: int
    generation: int
    value: bytes
    acknowledge: Callable[[], object]


class MissingInputError(RestartError):
    """A record came before one that was to be read first. A new worker reads from where the changelog says."""


class AssignedPartition:
    """One partition, while it is assigned to this worker."""

    def __init__(self, partition: int, begin: int, scorer: PartitionScorer, skipped: Container[int] = ()) -> None:
        """``begin``: where to resume; all before is in the states of ``scorer``. ``skipped``: offsets to pass over."""
        self.partition = partition
        self.scorer = scorer
        self._skipped = skipped
        self.next = begin
        """The offset of the record to be taken next."""
        self.applied = begin
        """The first offset that is not known to be applied and acknowledged."""
        self.watermark_ms = 0
        self.settled = ""
        """The last replay that is completely scored and was reported."""
        self.reported_at = float("-inf")
        self._unapplied: deque[Callable[[], object]] = deque()

    def take(self, record: InputRecord, monotonic: float) -> None:
        """Take ``record``, unless it was taken before.

        Raises:
            MissingInputError: a record before it was not taken.
        """
        if record.offset > self.next:
            raise MissingInputError(
                f"partition {self.partition} of story-activity: offset {self.next} was to come next, "
                f"but {record.offset} came"
            )
        if record.offset == self.next:
            try:
                activities = () if record.offset in self._skipped else decode_activities(record.value)
                self.scorer.take(activities, monotonic)
            except Exception as error:
                error.add_note(locate("story-activity", self.partition, record.offset))
                raise
            self._unapplied.append(record.acknowledge)
            self.next += 1

    def confirm(self, output: OutputBatch) -> Iterator[Callable[[], object]]:
        """Note that the broker has all of ``output``; yield what acknowledges each record that is applied by that."""
        self.watermark_ms = output.watermark_ms
        self.applied += output.applied
        for _ in range(output.applied):
            yield self._unapplied.popleft()
