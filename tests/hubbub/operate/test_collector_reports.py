"""``hubbub collectors --health``: a row for each source, and a collector that no longer reports is late."""

from __future__ import annotations

from hubbub.operate.collector_reports import LATE, rows
from ingest.rates import Completeness
from ingest.report import CollectorReport, SourceReport, Written

NOW_MS = 1_767_225_600_000
WORLD_MS = 1_600_000_000_000


def written(age_ms: int, **fields: object) -> Written:
    sources = tuple(
        SourceReport(
            source=name,
            completeness=Completeness.SILENT if name == "a" else Completeness.USUAL,
            items=3,
            expected=4.5,
            hours=6,
            last_item_ms=WORLD_MS - 60_000,
        )
        for name in ("", "a")
    )
    return Written(CollectorReport(collector="x", at_ms=WORLD_MS, sources=sources, **fields), NOW_MS - age_ms)  # type: ignore[arg-type]


def test_each_source_is_a_row_and_counts_stand_with_all_of_the_collector() -> None:
    whole, part = rows({"x": written(10_000, state="waiting", problem="away", read=9, gaps=2)}, NOW_MS)
    assert (whole.says, part.says) == ("usual", "silent")
    assert (whole.problem, whole.read, whole.gaps) == ("away", 9, 2)
    assert (part.source, part.problem, part.read) == ("a", None, None)
    assert (whole.newest_age_seconds, whole.report_age_seconds) == (70, 10)


def test_a_collector_that_no_longer_reports_is_late_whatever_it_said() -> None:
    whole, part = rows({"x": written(1_200_000, state="collecting")}, NOW_MS)
    assert (whole.says, part.says) == (LATE, LATE)
    assert whole.problem == "no report for 20 min; is it running?"
