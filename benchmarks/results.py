"""What a participant told, when, and whether it is right.

Owns the reading of output topics, Hubbub's and the peers', as one kind of record, and their comparison with what the
load must come to.
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

__all__ = ["Expected", "Told", "begun_ms", "differences", "finished_ms", "latencies_ms", "read_told"]

HOUR_MS = 3_600_000
TOLERANCE = 1e-9


@dataclass(slots=True)
class Told:
    """One score of one story, in the broker's log at ``at_ms``. ``scored_ms``: the time it was scored for, if it says.

    ``hour``: items of the hour before that; ``buckets``: items by span of five minutes. Each tells the one or the
    other.
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
    """What a load must come to: the job's own result of it, by story, and when each story's items were created."""

    stories: dict[str, dict[str, Any]] = field(default_factory=dict)
    created_ms: dict[str, list[int]] = field(default_factory=dict)
    story_of: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, signals: Iterable[Signal]) -> Expected:
        """Work through ``signals``."""
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


async def read_told(run: Run, *, hubbub: bool, expected: Expected) -> list[Told]:
    """Return all that was told so far, in the order of the log's time.

    Raises:
        ValueError: Hubbub has put two links into one story.
    """
    options: dict[str, object] = {"bootstrap_servers": run.servers}
    topic = f"{run.prefix}noise-scores" if hubbub else run.environment["BENCH_OUTPUT"]
    async with TopicReader(topic, options) as tail:
        records = [record for record in await tail.read_to_end() if record.value is not None]
    names = await _link_of_story(run, expected) if hubbub else {}
    told = [_of_hubbub(record, names) if hubbub else _of_peer(record) for record in records]
    return sorted(told, key=lambda one: one.at_ms)


async def begun_ms(run: Run) -> int:
    """Return when Hubbub began to work: the log's time of the first new post that was handed on to be decided."""
    async with TopicReader(f"{run.prefix}candidates", {"bootstrap_servers": run.servers}) as tail:
        records = await tail.read_to_end()
    return next(record.timestamp for record in records if decode_candidate(record.value or b"").signal is not None)


def differences(told: Sequence[Told], expected: Expected) -> list[str]:
    """Return in words where the last that was told of a story is not what it must be."""
    last = {one.story: one for one in told}
    faults = [f"{story} was not scored" for story in expected.stories.keys() - last.keys()]
    faults += [f"{story} should not be scored" for story in last.keys() - expected.stories.keys()]
    for story, wanted in expected.stories.items():
        if (one := last.get(story)) is None:
            continue
        pairs: list[tuple[str, object, object]] = [
            (name, getattr(one, name), wanted[name]) for name in ("items", "interactions", "platforms", "last_ms")
        ]
        if one.buckets is None:
            created = expected.created_ms[story]  # as observed, so in order
            since = bisect_right(created, one.scored_ms - HOUR_MS)
            pairs.append(("hour", one.hour, bisect_right(created, one.scored_ms) - since))
        else:
            pairs.append(("buckets", one.buckets, {int(number): count for number, count in wanted["buckets"].items()}))
        faults += [f"{story}: {name} is {is_}, not {must}" for name, is_, must in pairs if is_ != must]
        if not math.isclose(one.raw, wanted["raw"], rel_tol=TOLERANCE):
            faults.append(f"{story}: raw is {one.raw}, not {wanted['raw']}")
    return faults


def finished_ms(told: Sequence[Told]) -> int:
    """Return when the last of all stories had its final numbers."""
    final = {one.story: (one.items, one.interactions) for one in told}
    first: dict[str, int] = {}
    for one in told:
        if (one.items, one.interactions) == final[one.story]:
            first.setdefault(one.story, one.at_ms)
    return max(first.values())


def latencies_ms(signals: Iterable[Signal], told: Iterable[Told], expected: Expected) -> list[int]:
    """Return, for each new item among ``signals``, how long after it was observed a score of its story covered it.

    A score covers an item if its story's last coverage is not before it.
    """
    coverage: Mapping[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for one in told:
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
    """Return the link that each of Hubbub's stories is about."""
    index = ThreadIndex()
    async with TopicReader(f"{run.prefix}stories", {"bootstrap_servers": run.servers}) as tail:
        for record in await tail.read_to_end():
            index.apply(record.key or b"", record.value)
    links: dict[str, str] = {}
    for thread, link in expected.story_of.items():
        known = index.lookup(thread)
        for story in known.stories if known is not None else ():
            if links.setdefault(story, link) != link:
                raise ValueError(f"story {story} is about {links[story]} and {link}")
    return links


def _of_hubbub(record: ConsumerRecord[bytes, bytes], names: Mapping[str, str]) -> Told:
    """Take out of a NoiseScore what the job asks for; feelings, consequence and people are not part of the job."""
    value = json.loads(record.value or b"")
    windows, factors = value["windows"], value["factors"]
    return Told(
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


def _of_peer(record: ConsumerRecord[bytes, bytes]) -> Told:
    value = json.loads(record.value or b"")
    if "story" not in value:  # the floor tells no stories
        return Told(record.timestamp, "", value["decoded"], 0, 0, 0.0, 0)
    buckets = {int(number): count for number, count in value.pop("buckets").items()}
    return Told(record.timestamp, buckets=buckets, **value)
