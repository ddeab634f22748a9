"""The reporter of one collector: counts what it collects, by source, and says when that is less than usual.

Owns what a source is, the counts since the start, and when a report is due. Must never connect to anything: the
publisher sends what it returns.

A source is a community (a subreddit, a feed, a channel). All items together are a source, too: its name is "".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
import structlog

from ingest import metrics
from ingest.batch import Batch, well_formed
from ingest.health import CollectorHealth
from ingest.memory.seen import Seen
from ingest.rates import HOUR_MS, Completeness, Judgement, Rates
from ingest.report import RATES, CollectorReport, RatesRecord, SavedRates, SourceReport

EVERYTHING = ""
MAX_SOURCES = 32
"""Sources that are followed one by one, the first that gave something."""
MAX_NAME_CHARS = 100
MAX_SEEN = 20_000
"""Items remembered, so that one that is observed again is not taken for new."""
NEW_MS = 24 * HOUR_MS
"""An older item is no news of its source, but of our catching up."""
REPORT_SECONDS = 60.0
SAVE_SECONDS = 3600.0

log = structlog.get_logger(__name__)


class Reporter:
    """Follows one collector. ``now_ms``: the time of items, UTC epoch ms. ``clock``: real seconds."""

    def __init__(
        self, collector: str, *, now_ms: Callable[[], int], clock: Callable[[], float], health: CollectorHealth
    ) -> None:
        self._collector = collector
        self._now_ms = now_ms
        self._clock = clock
        self._health = health
        self._sources: dict[str, Rates] = {EVERYTHING: Rates()}
        self._last_item_ms: dict[str, int] = {}
        self._judged: dict[str, Completeness] = {}
        self._seen = Seen(MAX_SEEN)
        self._counts: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._report_at = clock()
        self._save_at = clock() + SAVE_SECONDS

    def restore(self, learnt: RatesRecord | None) -> None:
        """Take over what an earlier process learnt."""
        if learnt is not None:
            self._sources |= {name: Rates(saved.by_hour()) for name, saved in learnt.sources.items()}

    def observe(self, batch: Batch, published: int) -> None:
        """Take in a batch, of whose signals ``published`` were acknowledged. An empty one says something, too."""
        signals, now_ms = batch.signals, self._now_ms()
        new: Counter[str] = Counter()
        for signal in signals.signals:
            if signal.deleted or not self._seen.add(signal.id) or signal.created_ms < now_ms - NEW_MS:
                continue
            community = signal.community.name if signal.community is not None else None
            for source in (EVERYTHING, well_formed(community[:MAX_NAME_CHARS])) if community else (EVERYTHING,):
                if source not in self._sources:
                    if len(self._sources) > MAX_SOURCES:
                        continue
                    self._sources[source] = Rates()
                new[source] += 1
                self._last_item_ms[source] = max(signal.created_ms, self._last_item_ms.get(source, 0))
        for source, rates in self._sources.items():
            rates.add(new[source], now_ms)
        self._ignored.update({reason.value: count for reason, count in signals.ignored.items()})
        self._counts.update(
            read=signals.read,
            published=published,
            dead_letters=signals.read - signals.ignored.total() - published,
            gaps=signals.gaps,
            missed=signals.missed,
        )

    def due(self) -> list[tuple[str, bytes]]:
        """Return the records to write now, by key; mostly none."""
        records: list[tuple[str, bytes]] = []
        now = self._clock()
        if now >= self._report_at:
            self._report_at = now + REPORT_SECONDS
            records.append((self._collector, msgspec.json.encode(self._report())))
        if now >= self._save_at:
            self._save_at = now + SAVE_SECONDS
            saved = {name: SavedRates.of(rates.by_hour) for name, rates in self._sources.items()}
            learnt = RatesRecord(collector=self._collector, sources=saved)
            records.append((self._collector + RATES, msgspec.json.encode(learnt)))
        return records

    def _report(self) -> CollectorReport:
        return CollectorReport(
            collector=self._collector,
            at_ms=self._now_ms(),
            state=self._health.state.value,
            problem=self._health.problem,
            read=self._counts["read"],
            published=self._counts["published"],
            ignored=dict(self._ignored),
            dead_letters=self._counts["dead_letters"],
            gaps=self._counts["gaps"],
            missed=self._counts["missed"],
            sources=tuple(self._judge()),
        )

    def _judge(self) -> Iterator[SourceReport]:
        now_ms = self._now_ms()
        for name in sorted(self._sources):
            judged = self._sources[name].judge(now_ms)
            self._say(name, judged)
            yield SourceReport(
                source=name,
                completeness=judged.completeness,
                items=judged.items,
                expected=round(judged.expected, 1),
                hours=judged.hours,
                last_item_ms=self._last_item_ms.get(name),
            )

    def _say(self, name: str, judged: Judgement) -> None:
        """Show in the metrics what the collector gives, and log once when a source begins or ceases to give less."""
        if name == EVERYTHING:
            hours = judged.hours or 1
            metrics.ITEMS_PER_HOUR.labels(self._collector).set(judged.items / hours)
            metrics.USUAL_ITEMS_PER_HOUR.labels(self._collector).set(judged.expected / hours)
        before = self._judged.get(name, Completeness.USUAL)
        self._judged[name] = judged.completeness
        less = {Completeness.SILENT, Completeness.LOW}
        for kind in less:
            sources = sum(1 for one in self._judged.values() if one is kind)
            metrics.INCOMPLETE_SOURCES.labels(self._collector, kind.value).set(sources)
        if judged.completeness in less and judged.completeness is not before:
            log.warning(
                "a source gives less than usual; compare it with the platform, and see the runbook",
                collector=self._collector,
                source=name or "all",
                completeness=judged.completeness.value,
                items=judged.items,
                usual=round(judged.expected),
                hours=judged.hours,
            )
        elif before in less and judged.completeness is Completeness.USUAL:
            log.info("a source gives what is usual again", collector=self._collector, source=name or "all")
