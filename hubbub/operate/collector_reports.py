"""How complete each source is now, from what the collectors report of themselves.

Owns the reading of the reports and of the budgets beside them, and what a late report means. Must never know how a
source is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hubbub.clock import wall_clock
from hubbub.operate.budgets import budget_of
from hubbub.operate.latest_records import latest_records
from hubbub.settings import Settings
from ingest import report
from ingest.cursors import TOPIC as CURSORS
from ingest.cursors import CursorRecord
from ingest.report import Written
from transport.errors import UserError
from transport.reader import TopicMissingError
from transport.topics import name

LATE_SECONDS: Final = 300.0
"""A collector reports each minute. One that has not for so long is stopped, stuck, or cut off from the broker."""
LATE: Final = "late"
TIMEOUT_SECONDS: Final = 40.0


class BudgetRow(msgspec.Struct, frozen=True):
    """A limit that ``option`` sets, and how much of it is spent or reserved in this period."""

    option: str
    spent: float
    limit: float

    def __str__(self) -> str:
        return f"{self.spent:,.10g} of {self.limit:,.10g} {self.option}"


Budgets = Mapping[str, tuple[BudgetRow, ...]]
"""By collector, of those that have one."""


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a collector; "" is all of it.

    ``says``: learning, usual, low or silent; or ``late`` if the collector no longer reports. ``items`` new ones came in
    ``hours`` hours, where ``expected`` are usual; 0 hours: nothing could be compared. ``newest_age_seconds``: of the
    newest item. The counts since the collector's start and ``problem`` are those of all of it, and so is
    ``budget``: what is spent of the limits that its options set.
    """

    collector: str
    source: str
    says: str
    items: int
    expected: float
    hours: int
    newest_age_seconds: float | None
    report_age_seconds: float
    problem: str | None = None
    read: int | None = None
    published: int | None = None
    ignored: dict[str, int] | None = None
    dead_letters: int | None = None
    gaps: int | None = None
    missed: int | None = None
    budget: tuple[BudgetRow, ...] | None = None


async def read(settings: Settings) -> list[SourceRow]:
    """Return a row for each source of each collector that has reported, by name; all of a collector comes first.

    Raises:
        UserError: the topic does not exist.
        KafkaError: the broker cannot be reached.
    """
    kafka = settings.kafka
    options = kafka.client_options()
    topic = name(report.TOPIC, kafka.topic_prefix)
    try:
        reports, _ = await report.load(kafka=options, topic=topic, timeout_seconds=TIMEOUT_SECONDS)
    except report.TopicMissingError as error:
        raise UserError(str(error)) from None
    return list(rows(reports, wall_clock(), await _budgets(settings, options)))


async def _budgets(settings: Settings, options: dict[str, object]) -> Budgets:
    now_ms = settings.clock()()
    try:
        cursors, _ = await latest_records(CURSORS, msgspec.json.Decoder(CursorRecord).decode, settings, options)
    except TopicMissingError:
        return {}
    return {
        cursor.collector: tuple(BudgetRow(line.option, line.spent, line.limit) for line in lines)
        for cursor in cursors
        if (lines := budget_of(cursor, settings, now_ms))
    }


def rows(reports: Mapping[str, Written], now_ms: int, budgets: Budgets = MappingProxyType({})) -> Iterator[SourceRow]:
    """Yield the rows of ``reports`` as of ``now_ms`` (UTC epoch ms of the wall clock)."""
    for collector, (reported, written_ms) in sorted(reports.items()):
        age_seconds = max(0, now_ms - written_ms) / 1000
        late = age_seconds > LATE_SECONDS
        for one in reported.sources:
            newest_ms = one.last_item_ms
            row = SourceRow(
                collector=collector,
                source=one.source,
                says=LATE if late else one.completeness.value,
                items=one.items,
                expected=one.expected,
                hours=one.hours,
                newest_age_seconds=None if newest_ms is None else (reported.at_ms - newest_ms) / 1000 + age_seconds,
                report_age_seconds=age_seconds,
            )
            if one.source:
                yield row
                continue
            silence = f"no report for {age_seconds / 60:.0f} min; is it running?" if late else None
            yield msgspec.structs.replace(
                row,
                problem=reported.problem or silence,
                read=reported.read,
                published=reported.published,
                ignored=reported.ignored,
                dead_letters=reported.dead_letters,
                gaps=reported.gaps,
                missed=reported.missed,
                budget=budgets.get(collector),
            )
