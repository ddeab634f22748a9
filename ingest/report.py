"""Reports: what each collector says of itself, in the compacted topic ``collector-reports``.

Owns the records of that topic and how they are read back. Must never know what is usual, nor who reads a report.

A collector writes two records: a report each minute, under its name, and each hour what it has learnt of its sources'
rates, under its name and ``/rates``. So a new process knows what is usual, and any program can ask how complete a
source is now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ingest.rates import Completeness
from transport.kafka import BrokerTimeoutError, KafkaError
from transport.reader import TopicChangedError, TopicMissingError, TopicReader

TOPIC = "collector-reports"
RATES = "/rates"
UNWATCHED = -1


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a collector: a community, a feed, a channel; "" is all of the collector.

    ``items`` new ones came in the last ``hours`` hours, where ``expected`` are usual. ``last_item_ms``: when the newest
    of its items was created, as far as is known since the start.
    """

    source: str
    completeness: Completeness
    items: int
    expected: float
    hours: int
    last_item_ms: int | None = None


class CollectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """A collector at ``at_ms`` (UTC epoch ms). Counts are since its process began.

    ``state``, ``problem``: of its health. ``ignored``: by reason. ``gaps``: how often items were certainly missed;
    ``missed``: about how many, where an estimate is possible. ``sources``: all of the collector first.
    """

    v: int = 1
    collector: str
    at_ms: int
    state: str
    problem: str | None = None
    read: int = 0
    published: int = 0
    ignored: dict[str, int] = {}
    dead_letters: int = 0
    gaps: int = 0
    missed: int = 0
    sources: tuple[SourceReport, ...] = ()


class SavedRates(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a source by hour, from ``first_hour`` (hours since 1970); ``UNWATCHED`` where it was not watched."""

    first_hour: int
    items: list[int]

    @classmethod
    def of(cls, by_hour: Mapping[int, int]) -> SavedRates:
        """Return ``by_hour`` as it is saved."""
        if not by_hour:
            return cls(first_hour=0, items=[])
        first, last = min(by_hour), max(by_hour)
        return cls(first_hour=first, items=[by_hour.get(hour, UNWATCHED) for hour in range(first, last + 1)])

    def by_hour(self) -> dict[int, int]:
        """Return the items by hour, of hours that were watched."""
        numbered = enumerate(self.items, self.first_hour)
        return {hour: items for hour, items in numbered if items != UNWATCHED}


class RatesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a collector has learnt of its sources, by name."""

    v: int = 1
    collector: str
    sources: dict[str, SavedRates]


class Written(NamedTuple):
    """The latest report of a collector, and when it was written: UTC epoch ms of the wall clock.

    The report's own ``at_ms`` is the time of items, which in a simulated world is another.
    """

    report: CollectorReport
    written_ms: int


async def load(
    *, kafka: Mapping[str, object], topic: str, timeout_seconds: float
) -> tuple[dict[str, Written], dict[str, RatesRecord]]:
    """Return the latest report of each collector, and what each has learnt, by the collector's name.

    ``kafka``: connection options of aiokafka. ``topic``: one partition, compacted, read to its end.

    Raises:
        TopicMissingError: the topic does not exist; the message says how to create it.
        KafkaError: the topic cannot be read, or not in time.
        msgspec.ValidationError: a record is none of ours.
    """
    reports: dict[str, Written] = {}
    learnt: dict[str, RatesRecord] = {}
    try:
        async with asyncio.timeout(timeout_seconds), TopicReader(topic, kafka, [0]) as reader:
            async for record in reader.until_end():
                name = (record.key or b"").decode()
                if record.value is None:
                    reports.pop(name, None)
                    learnt.pop(name.removesuffix(RATES), None)
                elif name.endswith(RATES):
                    learnt[name.removesuffix(RATES)] = msgspec.json.decode(record.value, type=RatesRecord)
                else:
                    report = msgspec.json.decode(record.value, type=CollectorReport)
                    reports[name] = Written(report, record.timestamp)
    except TimeoutError as error:
        raise BrokerTimeoutError(f"topic {topic} could not be read within {timeout_seconds:g} s") from error
    except (OSError, TopicChangedError) as error:
        raise KafkaError(str(error)) from error
    return reports, learnt


__all__ = [
    "TOPIC",
    "CollectorReport",
    "RatesRecord",
    "SavedRates",
    "SourceReport",
    "TopicMissingError",
    "Written",
    "load",
]
