"""Reports about a source: its next reader finds the right resume point and counts, whichever worker reported last."""

from __future__ import annotations

from streams.records.progress import ResolveProgress
from streams.resolve.reorder import ResumePoint
from streams.resolve.reported_progress import MAX_POINTS, ReportedProgress


def progress(position: int, *, low: int | None = None, committed: int = 0) -> ResolveProgress:
    low = position if low is None else low
    return ResolveProgress(
        "3",
        0,
        0,
        offsets={3: position},
        counts={"read": position, "used": position},
        low=low,
        low_ms=low * 10,
        committed=committed,
        committed_ms=committed * 10,
    )


def test_the_next_reader_finds_the_time_at_the_committed_offset() -> None:
    reported = ReportedProgress()
    assert reported.resume_point(3, 0) == ResumePoint(0, 0)
    reported.note(progress(100, low=90, committed=80))
    points = [ResumePoint(80, 800), ResumePoint(90, 900), ResumePoint(85, 0)]
    assert [reported.resume_point(3, point.offset) for point in points] == points
    assert reported.resume_point(4, 90) == ResumePoint(90, 0), "it belongs to another source"


def test_a_late_report_of_a_worker_taken_for_dead_hides_no_later_report() -> None:
    reported = ReportedProgress()
    reported.note(progress(100, low=100))
    reported.note(progress(500, low=480, committed=480))
    reported.note(progress(110, low=110, committed=100))  # read before the other took over, written after it
    assert reported.counts(3, 480) == {"read": 500, "used": 500}
    assert reported.resume_point(3, 480) == ResumePoint(480, 4800)


def test_the_last_report_counts_for_a_source_that_was_set_back() -> None:
    reported = ReportedProgress()
    reported.note(progress(500))
    reported.note(progress(40))
    assert reported.counts(3, 30) == {"read": 40, "used": 40}


def test_only_the_latest_resume_points_are_kept() -> None:
    reported = ReportedProgress()
    for number in range(3 * MAX_POINTS):
        reported.note(progress(number + 1, committed=7))
    assert reported.resume_point(3, 7) == ResumePoint(7, 70)
    assert reported.resume_point(3, 3 * MAX_POINTS) == ResumePoint(3 * MAX_POINTS, 30 * MAX_POINTS)
    assert reported.resume_point(3, 20) == ResumePoint(20, 0)
