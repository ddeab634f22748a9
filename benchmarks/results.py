"""The scores that a participant emitted, when, and whether they are right.

Owns the reads of output topics, Hubbub's and the peers', as one kind of record, and their comparison with the expected
result of the load.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from benchmarks import job
from benchmarks.participants import Run
from ingest.signal import Signal
from streams.records.candidates import decode_candidate
from streams.resolve.threads import ThreadIndex
from transport.reader import TopicReader

__all__ = ["EmittedScore", "Expected", "begun_ms", "differences", "finished_ms", "latencies_ms", "read_emitted"]

HOUR_MS = 3_600_000
TOLERANCE = 1e-9


@dataclass(slots=True)
class EmittedScore:
    """One score of one story, in the broker's log at ``at_ms``. ``scored_ms``: the time of the score, if it has one.

    ``hour``: items of the hour before that. ``buckets``: items by span of five minutes. Each record has one of both.
    """

    at_ms: int
    story: str
    items: int
    interactions: int
    platforms: int
    raw: float
    last_ms: int
    buckets: dict[int, int] | None = None
    scored_ms: int = 0
    hour: int = 0


@dataclass(slots=True)
class Expected:
    """The expected result of a load: the job's own result by story, and when each story's items were created."""

    stories: dict[str, dict[str, Any]] = field(default_factory=dict)
    created_ms: dict[str, list[int]] = field(default_factory=dict)
    story_of: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, signals: Iterable[Signal]) -> Expected:
        """Do the job on ``signals``."""
        expected = cls()
        stories: dict[str, job.Story] = {}
        items: dict[str, job.Item] = {}
        for signal in signals:
            if signal.is_root and job.is_relevant(signal.url or ""):
                expected.story_of[signal.id] = signal.url or ""
            story = expected.story_of.get(signal.thread)
            if story is None:
                continue
            old = items.get(signal.id)
            if old is None:
                expected.created_ms.setdefault(story, []).append(signal.created_ms)
            plain = msgspec.to_builtins(signal)
            item = job.take(stories.setdefault(story, job.new_story()), plain, old)
            if item is not None:
                items[signal.id] = item
        expected.stories = {name: job.score(name, story) for name, story in stories.items()}
        return expected


async def read_emitted(run: Run, *, hubbub: bool, expected: Expected) -> list[EmittedScore]:
    """Return all scores emitted so far, in the order of the log's time.

    Raises:
        ValueError: Hubbub has put two links into one story.
    """
    options: dict[str, object] = {"bootstrap_servers": run.servers}
    topic = f"{run.prefix}noise-scores" if hubbub else run.environment["BENCH_OUTPUT"]
    async with TopicReader(topic, options) as reader:
        records = [record for record in await reader.read_to_end() if record.value is not None]
    names = await _link_of_story(run, expected) if hubbub else {}
    emitted = [_of_hubbub(record, names) if hubbub else _of_peer(record) for record in records]
    return sorted(emitted, key=lambda one: one.at_ms)


async def begun_ms(run: Run) -> int:
    """Return when Hubbub began to work: the log's time of the first new post that was sent to be decided."""
    async with TopicReader(f"{run.prefix}candidates", {"bootstrap_servers": run.servers}) as reader:
        records = await reader.read_to_end()
    return next(record.timestamp for record in records if decode_candidate(record.value or b"").signal is not None)


def differences(emitted: Sequence[EmittedScore], expected: Expected) -> list[str]:
    """Return in words where the last score of a story differs from the expected one."""
    last = {one.story: one for one in emitted}
    faults = [f"{story} was not scored" for story in expected.stories.keys() - last.keys()]
    faults += [f"{story} should not be scored" for story in last.keys() - expected.stories.keys()]
    for story, wanted in expected.stories.items():
        if (one := last.get(story)) is None:
            continue
        pairs: list[tuple[str, object, object]] = [
            (name, getattr(one, name), wanted[name]) for name in ("items", "interactions", "platforms", "last_ms")
        ]
        if one.buckets is None:
            created = expected.created_ms[story]  # in the order observed
            since = bisect_right(created, one.scored_ms - HOUR_MS)
            pairs.append(("hour", one.hour, bisect_right(created, one.scored_ms) - since))
        else:
            pairs.append(("buckets", one.buckets, {int(number): count for number, count in wanted["buckets"].items()}))
        faults += [f"{story}: {name} is {is_}, not {must}" for name, is_, must in pairs if is_ != must]
        if not math.isclose(one.raw, wanted["raw"], rel_tol=TOLERANCE):
            faults.append(f"{story}: raw is {one.raw}, not {wanted['raw']}")
    return faults


def finished_ms(emitted: Sequence[EmittedScore]) -> int:
    """Return when the last story had its final numbers."""
    final = {one.story: (one.items, one.interactions) for one in emitted}
    first: dict[str, int] = {}
    for one in emitted:
        if (one.items, one.interactions) == final[one.story]:
            first.setdefault(one.story, one.at_ms)
    return max(first.values())


def latencies_ms(signals: Iterable[Signal], emitted: Iterable[EmittedScore], expected: Expected) -> list[int]:
    """Return, for each new item among ``signals``, how long after it was observed a score covered it.

    A score covers an item if the last coverage of the story is not before the item.
    """
    coverage: Mapping[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for one in emitted:
        reached, at = coverage[one.story]
        if not reached or one.last_ms > reached[-1]:
            reached.append(one.last_ms)
            at.append(one.at_ms)
    found = []
    for signal in signals:
        story = expected.story_of.get(signal.thread)
        if story is None or signal.created_ms != signal.observed_ms:
            continue
        reached, at = coverage[story]
        place = bisect_left(reached, signal.observed_ms)
        found.append(at[place] - signal.observed_ms if place < len(at) else HOUR_MS)
    return found


async def _link_of_story(run: Run, expected: Expected) -> dict[str, str]:
    """Return the link of each of Hubbub's stories."""
    index = ThreadIndex()
    async with TopicReader(f"{run.prefix}stories", {"bootstrap_servers": run.servers}) as reader:
        for record in await reader.read_to_end():
            index.apply(record.key or b"", record.value)
    links: dict[str, str] = {}
    for thread, link in expected.story_of.items():
        known = index.known.get(thread)
        for story in known.stories if known is not None else ():
            if links.setdefault(story, link) != link:
                raise ValueError(f"story {story} is about {links[story]} and {link}")
    return links


def _of_hubbub(record: ConsumerRecord[bytes, bytes], names: Mapping[str, str]) -> EmittedScore:
    """Return the parts of a NoiseScore that the job has. Sentiment, impact and figures are not part of the job."""
    value = json.loads(record.value or b"")
    windows, factors = value["windows"], value["factors"]
    return EmittedScore(
        record.timestamp,
        names[value["story"]],
        windows["life"]["items"],
        windows["life"]["interactions"],
        value["inputs"]["cross_platform"]["platforms_with_posts"],
        value["raw"] - 0.10 * (factors["polarity"] + factors["industry_impact"] - 100) - 0.15 * factors["star_power"],
        value["last_coverage_ms"],
        scored_ms=value["scored_ms"],
        hour=windows["1h"]["items"],
    )


def _of_peer(record: ConsumerRecord[bytes, bytes]) -> EmittedScore:
    value = json.loads(record.value or b"")
    if "story" not in value:  # the floor emits no stories
        return EmittedScore(record.timestamp, "", value["decoded"], 0, 0, 0.0, 0)
    buckets = {int(number): count for number, count in value.pop("buckets").items()}
    return EmittedScore(record.timestamp, buckets=buckets, **value)
