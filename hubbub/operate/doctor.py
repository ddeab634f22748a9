"""The doctor: is everything there that Hubbub needs, and does every stage work?

Owns the checks, and the words for what to fix. It changes nothing: it reads topics, asks brokers, and polls each
platform once as its collector would.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass

import msgspec
import structlog

from hubbub.clock import format_age
from hubbub.operate import topic_setup
from hubbub.operate.budgets import budget_of
from hubbub.operate.latest_records import latest_records
from hubbub.redaction import Redaction
from hubbub.settings import Settings, SettingsError, load, secrets
from ingest.collector import CollectorContext
from ingest.cursors import TOPIC as CURSORS
from ingest.cursors import CursorRecord
from ingest.memory.rate_limit import RateLimiter
from ingest.registry import PLATFORMS
from streams.records.progress import ResolveProgress, ScoreProgress, decode_progress
from streams.resolve.matching.beats import BeatError, load_beat
from streams.score.reading import FiguresError, TextReader
from transport.admin import broker_problem
from transport.errors import HubbubError, SlowDownError, UserError
from transport.kafka import KafkaError
from transport.reader import TopicMissingError

BROKER_SECONDS = 10.0
PLATFORM_SECONDS = 20.0
SILENT_MS = 15_000
"""A stage that has reported nothing for this long is not running: each partition is reported every second."""
AHEAD_MS = 10_000
"""Event time that leads the clock by more comes from a false time in a record, or from a wrong clock."""
STALE_CURSOR_MS = 600_000
"""Twice the time that a working collector may leave its cursor unsaved."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. ``ok``: None if it cannot be known. ``fix``: what to do, empty if nothing."""

    what: str
    ok: bool | None
    fix: str = ""


async def examine(*, platforms: bool = True, only: Collection[str] = PLATFORMS) -> list[Finding]:
    """Check settings, broker, topics, stages and, with ``platforms``, those of ``only``; return every finding."""
    try:
        settings = load()
        options = settings.kafka.client_options()
    except SettingsError as error:
        return [Finding("settings", ok=False, fix=str(error))]
    findings = [Finding("the settings are valid", ok=True), *_files(settings)]
    findings += await _broker(settings, options)
    if platforms:
        findings += await poll(settings, only)
    redacted = Redaction(secrets(settings))  # a platform may repeat a credential in its answer
    return [Finding(redacted(finding.what), finding.ok, redacted(finding.fix)) for finding in findings]


def _files(settings: Settings) -> Iterator[Finding]:
    for beat in settings.resolve.beats:
        try:
            load_beat(beat)
        except BeatError as error:
            yield Finding(f"beat {beat!r}", ok=False, fix=str(error))
    if (file := settings.score.figures_file) is not None:
        try:
            known = len(TextReader.load(file).tiers)
            yield Finding(f"{file} is valid; with it there are {known} public figures", ok=True)
        except FiguresError as error:
            yield Finding("your file of public figures", ok=False, fix=str(error))


async def _broker(settings: Settings, options: dict[str, object]) -> list[Finding]:
    kafka = settings.kafka
    what = f"broker at {kafka.bootstrap_servers} answers"
    if (problem := await broker_problem(options)) is not None:
        return [Finding(what, ok=False, fix=problem.message)]
    try:
        async with asyncio.timeout(BROKER_SECONDS):
            problems = await topic_setup.check(options, kafka.topic_prefix, kafka.partitions, kafka.replication)
    except (KafkaError, OSError, TimeoutError) as error:
        return [Finding(what, ok=False, fix=f"it stopped answering ({type(error).__name__}); see the broker's log")]
    findings = [Finding(what, ok=True)]
    findings += [Finding(f"topic {p.topic}: {p.what}", ok=None if p.unverified else False, fix=p.fix) for p in problems]
    if all(problem.unverified for problem in problems):
        findings.append(Finding("the topics are as they should be", ok=True))
    for findings_of in (_stages, _cursors):
        with contextlib.suppress(TopicMissingError):  # one of the problems above
            findings += [finding async for finding in findings_of(settings, options)]
    return findings


async def _stages(settings: Settings, options: dict[str, object]) -> AsyncIterator[Finding]:
    reports: dict[str, list[ResolveProgress | ScoreProgress]] = {"resolve": [], "score": []}
    found, damaged = await latest_records("progress", decode_progress, settings, options)
    for error in damaged:
        yield Finding("topic progress can be read", ok=False, fix=str(error))
    for progress in found:
        if isinstance(progress, ResolveProgress | ScoreProgress):
            reports["resolve" if isinstance(progress, ResolveProgress) else "score"].append(progress)
    now_ms = settings.clock()()
    for stage, all_ in reports.items():
        if not all_:
            yield Finding(f"{stage} has never run here", ok=False, fix=f"start it: hubbub {stage} (or hubbub up)")
            continue
        alive = {p.instance for p in all_ if now_ms - p.updated_ms <= SILENT_MS}
        if silent := [str(number) for number in range(settings.kafka.partitions) if str(number) not in alive]:
            what = f"{stage} works on partitions {', '.join(silent)}"
            fix = f"no report for {SILENT_MS // 1000} s; start or restart hubbub {stage}"
            yield Finding(what, ok=False, fix=fix)
        else:
            reached = [p.mark_ms for p in all_ if p.mark_ms]  # 0: no record has come yet
            what = f"{stage} works on all {len(all_)} partitions; {_event_time(stage, reached, now_ms)}"
            is_ahead = max(reached, default=0) > now_ms + AHEAD_MS
            fix = "compare the clocks of all machines (docs/runbook.md)" if is_ahead else ""
            yield Finding(what, ok=not is_ahead, fix=fix)
        counts = sum((Counter(p.counts) for p in all_ if isinstance(p, ResolveProgress)), Counter[str]())
        if counts:
            yield _account(stage, counts)


def _event_time(stage: str, reached: list[int], now_ms: int) -> str:
    """Say how far ``stage`` is from the clock. A quiet source is not behind, so of resolve the newest one counts."""
    if not reached:
        return "no record has come yet"
    what, of = ("its newest signal", max) if stage == "resolve" else ("event time", min)
    if max(reached) > now_ms:
        return f"{what} is {format_age(max(reached) - now_ms)} ahead of the clock"
    return f"{what} is {format_age(now_ms - of(reached))} behind the clock"


def _account(stage: str, counts: Counter[str]) -> Finding:
    """Compare the number of records read with the sum of their outcomes."""
    outcomes = {outcome: count for outcome, count in counts.items() if outcome != "read"}
    shown = " + ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing"
    adds_up = counts["read"] == sum(outcomes.values())
    return Finding(
        f"{stage} accounts for every record read: {counts['read']:,} = {shown}",
        ok=adds_up,
        fix="" if adds_up else "records vanished or were counted twice: a fault of Hubbub; please report it",
    )


async def _cursors(settings: Settings, options: dict[str, object]) -> AsyncIterator[Finding]:
    now_ms = settings.clock()()
    found, damaged = await latest_records(CURSORS, msgspec.json.Decoder(CursorRecord).decode, settings, options)
    for error in damaged:
        yield Finding(f"topic {CURSORS} can be read", ok=False, fix=str(error))
    for cursor in found:
        age_ms = now_ms - cursor.saved_ms
        what = f"{cursor.collector} saved its cursor {format_age(age_ms)} ago"
        if age_ms < STALE_CURSOR_MS:
            yield Finding(what, ok=True)
        elif cursor.collector in settings.collect.chosen():
            fix = f"it collects nothing; see the log of hubbub collect {cursor.collector}"
            yield Finding(what, ok=False, fix=fix)
        else:
            yield Finding(what, ok=None, fix="the settings here do not collect from it")
        for line in budget_of(cursor, settings, now_ms):
            spent = f"{cursor.collector} has spent or reserved {line.spent:,.10g} of {line.limit:,.10g} {line.option}"
            fix = f"it waits for the next period; raise {line.option} in [collect.{cursor.collector}] to collect more"
            yield Finding(spent, ok=None if line.spent >= line.limit else True, fix=fix * (line.spent >= line.limit))


async def poll(settings: Settings, collectors: Collection[str]) -> list[Finding]:
    """Poll each platform once, as its collector would. What a collector logs meanwhile is in its finding."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return await asyncio.gather(*(_platform(settings, collector) for collector in collectors))
    finally:
        structlog.configure(**before)


async def _platform(settings: Settings, collector: str) -> Finding:
    """Poll once, as the collector would; of one that listens, ask the one that runs here, which has its port."""
    spec = PLATFORMS[collector]
    shown = spec.display_name
    try:
        config = settings.collect.configs([collector])[collector]
    except SettingsError:
        return Finding(
            f"{shown} is off: it needs {spec.needs}", ok=None, fix=f"to collect it, set [collect.{collector}]"
        )
    if spec.is_running is not None and await spec.is_running(config):
        return Finding(f"{shown} is running and answers", ok=True)
    context = CollectorContext(RateLimiter(collector, config.requests_per_minute), settings.clock())
    polling = spec.make(config, None, context)
    started_at = time.monotonic()
    try:
        async with asyncio.timeout(PLATFORM_SECONDS):
            await anext(polling)
    except UserError as error:
        return Finding(f"{shown} can be collected with these settings", ok=False, fix=str(error))
    except SlowDownError as error:
        fix = f"{error}; nothing is to be done: its collector waits as long as that takes"
        return Finding(f"{shown} answers, and asks for time", ok=None, fix=fix)
    except (HubbubError, OSError, TimeoutError) as error:
        return Finding(
            f"{shown} answers", ok=False, fix=f"{error or 'no answer in time'}; check the network path to it"
        )
    finally:
        await polling.aclose()
    return Finding(f"{shown} answers ({time.monotonic() - started_at:.1f} s)", ok=True)
