"""What workers reported about each source: where its next reader resumes, and what became of its records so far.

Owns the memory of what ``resolve`` writes to ``progress``. The last report is not always the furthest. A worker that
was taken for dead may report once more after its successor, which must still find its own reports. Pure.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.records.progress import ResolveProgress
from streams.resolve.reorder import ResumePoint

MAX_POINTS = 64
"""Resume points kept for each source. Two are reported about once a second; one of the last few is committed."""


@dataclass(slots=True)
class _Reported:
    """``last`` and ``furthest``: the offset after the last record read, and the counts of all records before it."""

    last: tuple[int, Mapping[str, int]] = (0, {})
    furthest: tuple[int, Mapping[str, int]] = (0, {})
    points: OrderedDict[int, ResumePoint] = field(default_factory=OrderedDict)

    def keep(self, point: ResumePoint) -> None:
        self.points[point.offset] = point
        self.points.move_to_end(point.offset)
        if len(self.points) > MAX_POINTS:
            self.points.popitem(last=False)


class ReportedProgress:
    """The reports about all sources. ``topic_id``: the incarnations they belong to; see ``ResolveProgress``."""

    def __init__(self) -> None:
        self.topic_id = ""
        self._sources: defaultdict[int, _Reported] = defaultdict(_Reported)

    def note(self, progress: ResolveProgress) -> None:
        """Take in a worker's report about one source."""
        self.topic_id = progress.topic_id or self.topic_id
        number = int(progress.instance)
        source = self._sources[number]
        source.last = progress.offsets.get(number, 0), progress.counts
        source.furthest = max(source.furthest, source.last, key=lambda report: report[0])
        source.keep(ResumePoint(progress.low, progress.low_ms))
        source.keep(ResumePoint(progress.committed, progress.committed_ms))

    def resume_point(self, source: int, offset: int) -> ResumePoint:
        """Return the point to resume at for ``offset``: with the time there if it was reported, else with 0."""
        return self._sources[source].points.get(offset, ResumePoint(offset, 0))

    def counts(self, source: int, offset: int) -> Mapping[str, int]:
        """Return what became of all records below ``offset``, and of some above it, by the last such report."""
        reported = self._sources[source]
        position, counts = reported.last
        return counts if position >= offset else reported.furthest[1]
