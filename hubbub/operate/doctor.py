"""The doctor: is everything there that Hubbub needs, and does every stage do its work?

Owns the examination and the words for what to do. It changes nothing: it reads topics, asks brokers, and looks once at
each platform as its collector would.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from hubbub.clock import format_age
from hubbub.operate import topic_setup
from hubbub.settings import Settings, SettingsError, load
from ingest.collector import CollectorContext
from ingest.cursors import TOPIC as CURSORS
from ingest.cursors import CursorRecord
from ingest.memory.rate_limit import RateLimiter
from ingest.registry import PLATFORMS
from streams.records.progress import ResolveProgress, ScoreProgress, decode_progress
from streams.resolve.matching.beats import BeatError, load_beat
from streams.score.reading import FiguresError, TextReader
from transport.errors import HubbubError, UserError
from transport.kafka import KafkaError
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["Finding", "examine"]

BROKER_SECONDS = 10.0
PLATFORM_SECONDS = 20.0
SILENT_MS = 60_000
"""A stage that has told nothing for so long does not run."""
STALE_CURSOR_MS = 600_000
"""Twice as long as a collector that works may leave its cursor unsaved."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``ok``: None where it cannot be told. ``fix``: what to do, empty if nothing."""

    what: str
    ok: bool | None
    fix: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the finding as plain values."""
        return asdict(self)


async def examine(*, platforms: bool = True) -> list[Finding]:
    """Look at settings, broker, topics, stages and, with ``platforms``, the platforms; return all that was found."""
    try:
        settings = load()
        options = settings.kafka.client_options()
    except SettingsError as error:
        return [Finding("settings", ok=False, fix=str(error))]
    findings = [Finding("settings are understood", ok=True)]
    findings += _beats(settings)
    if (file := settings.score.figures_file) is not None:
        findings.append(_figures(file))
    servers = settings.kafka.bootstrap_servers
    try:
        async with asyncio.timeout(BROKER_SECONDS):
            problems = await topic_setup.check(
                options, settings.kafka.topic_prefix, settings.kafka.partitions, settings.kafka.replication
            )
    except (KafkaError, OSError, TimeoutError) as error:
        why = f"{type(error).__name__}; start it ('hubbub up' brings one), or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS"
        findings.append(Finding(f"broker at {servers} answers", ok=False, fix=why))
    else:
        findings.append(Finding(f"broker at {servers} answers", ok=True))
        findings += [
            Finding(f"topic {p.topic}: {p.what}", ok=None if p.unverified else False, fix=p.fix) for p in problems
        ]
        if not any(not p.unverified for p in problems):
            findings.append(Finding("topics are as they must be", ok=True))
            findings += [finding async for finding in _stages(settings, options)]
            findings += [finding async for finding in _cursors(settings, options)]
    if platforms:
        findings += await asyncio.gather(*(_platform(settings, collector) for collector in PLATFORMS))
    return findings


def _beats(settings: Settings) -> Iterator[Finding]:
    for beat in settings.resolve.beats:
        try:
            load_beat(beat)
        except BeatError as error:
            yield Finding(f"beat {beat!r}", ok=False, fix=str(error))


def _figures(file: Path) -> Finding:
    try:
        return Finding(f"{file} is understood; {TextReader.load(file).figures} public figures in all", ok=True)
    except FiguresError as error:
        return Finding("public figures of your own", ok=False, fix=str(error))


async def _stages(settings: Settings, options: dict[str, object]) -> AsyncIterator[Finding]:
    told: dict[str, list[ResolveProgress | ScoreProgress]] = {"resolve": [], "score": []}
    async with TopicReader(name("progress", settings.kafka.topic_prefix), options) as tail:
        latest = {record.key: record.value for record in await tail.read_to_end()}
    for value in latest.values():
        progress = decode_progress(value) if value is not None else None
        if isinstance(progress, ResolveProgress | ScoreProgress):
            told["resolve" if isinstance(progress, ResolveProgress) else "score"].append(progress)
    now_ms = settings.clock()()
    for stage, all_ in told.items():
        if not all_:
            yield Finding(f"{stage} has never run here", ok=False, fix=f"start it: hubbub {stage} (or hubbub up)")
            continue
        heard = {int(p.instance) for p in all_ if now_ms - p.updated_ms <= SILENT_MS}
        silent = sorted(set(range(settings.kafka.partitions)) - heard)
        if silent:
            where = f"partitions {', '.join(map(str, silent))}"
            yield Finding(
                f"{stage} works on {where}",
                ok=False,
                fix=f"nothing heard for a minute; start or restart hubbub {stage}",
            )
        else:
            behind = format_age(now_ms - min(p.mark_ms for p in all_))
            yield Finding(
                f"{stage} works on all {len(all_)} partitions; event time is {behind} behind the clock", ok=True
            )
        counts = sum((Counter(p.counts) for p in all_ if isinstance(p, ResolveProgress)), Counter[str]())
        if counts:
            yield _account(stage, counts)


def _account(stage: str, counts: Counter[str]) -> Finding:
    """Hold what a stage has read against what became of it."""
    outcomes = {outcome: count for outcome, count in counts.items() if outcome != "read"}
    told = " + ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing"
    adds_up = counts["read"] == sum(outcomes.values())
    return Finding(
        f"{stage} accounts for what it read: {counts['read']:,} = {told}",
        ok=adds_up,
        fix="" if adds_up else "records have vanished or were counted twice: a fault of ours; please report it",
    )


async def _cursors(settings: Settings, options: dict[str, object]) -> AsyncIterator[Finding]:
    async with TopicReader(name(CURSORS, settings.kafka.topic_prefix), options) as tail:
        latest = {record.key: record.value for record in await tail.read_to_end()}
    now_ms = settings.clock()()
    for value in latest.values():
        if value is None:
            continue
        cursor = msgspec.json.decode(value, type=CursorRecord)
        age_ms = now_ms - cursor.saved_ms
        what = f"{cursor.collector} saved its cursor {format_age(age_ms)} ago"
        if age_ms < STALE_CURSOR_MS:
            yield Finding(what, ok=True)
        elif cursor.collector in settings.collect.chosen():
            fix = f"it collects nothing; look at the log of hubbub collect {cursor.collector}"
            yield Finding(what, ok=False, fix=fix)
        else:
            yield Finding(what, ok=None, fix="it is not one of those to collect from, by the settings here")


async def _platform(settings: Settings, collector: str) -> Finding:
    """Look once, as the collector would."""
    spec = PLATFORMS[collector]
    try:
        config = settings.collect.configs([collector])[collector]
    except SettingsError:
        return Finding(f"{collector} is off: {spec.needs}", ok=None, fix=f"to collect it, set [collect.{collector}]")
    context = CollectorContext(RateLimiter(collector, config.requests_per_minute), settings.clock())
    looking = spec.make(config, None, context)
    began = time.monotonic()
    try:
        async with asyncio.timeout(PLATFORM_SECONDS):
            await anext(looking)
    except UserError as error:
        return Finding(f"{collector} accepts the credentials", ok=False, fix=str(error))
    except (HubbubError, OSError, TimeoutError) as error:
        return Finding(f"{collector} answers", ok=False, fix=f"{error or 'no answer in time'}; check the way to it")
    finally:
        await looking.aclose()
    return Finding(f"{collector} answers ({time.monotonic() - began:.1f} s)", ok=True)
