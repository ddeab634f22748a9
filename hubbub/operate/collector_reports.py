"""How complete each source is now, from what the collectors report of themselves.

Owns the reading of the reports and what a late one means. Must never know how a source is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from hubbub.clock import wall_clock
from hubbub.settings import Settings
from ingest import report
from ingest.report import Written
from transport.errors import UserError
from transport.topics import name

LATE_SECONDS: Final = 300.0
"""A collector reports each minute. One that has not for so long is stopped, stuck, or cut off from the broker."""
LATE: Final = "late"
TIMEOUT_SECONDS: Final = 40.0


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a collector; "" is all of it.

    ``says``: learning, usual, low or silent; or ``late`` if the collector no longer reports. ``items`` new ones came in
    ``hours`` hours, where ``expected`` are usual; 0 hours: nothing could be compared. ``newest_age_seconds``: of the
    newest item. The counts since the collector's start and ``problem`` are those of all of it.
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


async def read(settings: Settings) -> list[SourceRow]:
    """Return a row for each source of each collector that has reported, by name; all of a collector comes first.

    Raises:
        UserError: the topic does not exist.
        KafkaError: the broker cannot be reached.
    """
    kafka = settings.kafka
    topic = name(report.TOPIC, kafka.topic_prefix)
    try:
        reports, _ = await report.load(kafka=kafka.client_options(), topic=topic, timeout_seconds=TIMEOUT_SECONDS)
    except report.TopicMissingError as error:
        raise UserError(str(error)) from None
    return list(rows(reports, wall_clock()))


def rows(reports: Mapping[str, Written], now_ms: int) -> Iterator[SourceRow]:
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
            )
