"""The audit of a run: its scores and events against an oracle, and against the same recording undisturbed.

Owns the oracle: it reads the topic ``signals`` from the beginning and each thread's story from ``stories``. It scores
in one go, without de-duplication windows, state or a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import orjson

from hubbub.settings import KafkaSettings
from hubbub.world.items import Item, Reply
from hubbub.world.timeline import DEPTH, place
from hubbub.world.world import World
from ingest.signal import InvalidSignalError, Signal, decode
from scoring import Ledger, Score, score
from scoring.impact import OfflineAssessor
from streams.records.noise_score import NoiseScore
from streams.records.progress import ResolveProgress, decode_progress
from streams.records.story_activity import StorySignals, decode_activities
from streams.resolve.threads import ThreadIndex
from streams.score.assessor import OfflineStoryAssessor
from streams.score.reading import TextReader
from streams.serve.read import read_scores
from transport.reader import TopicReader
from transport.topics import name

__all__ = [
    "Finding",
    "RunRecords",
    "accounted",
    "compare_with_oracle",
    "compare_with_undisturbed",
    "compare_with_world",
    "dead_letters",
    "read_records",
]

MAX_SHOWN_CHARS = 400
TOLERANCE = 1e-6
LISTED_COMMENTS = DEPTH - 50
"""Newest comments that are listed for certain: new ones arrive while a collector reads the pages of a listing."""
SKETCH_TOLERANCE = 1.0
"""In points. A story with more items than a ledger stores has a sample of them, which depends on their order."""


class Finding(msgspec.Struct, frozen=True):
    """One promise, whether it was kept, and the evidence."""

    promise: str
    kept: bool
    found: str


@dataclass(frozen=True, slots=True)
class LoggedSignal:
    """A signal in the log. ``at_ms``: its event time, which never decreases within a partition."""

    place: tuple[int, int]
    at_ms: int
    signal: Signal
    raw: bytes


@dataclass(slots=True)
class RunRecords:
    """All records in the topics of a run. ``unreadable``: invalid records of ``signals``, by their place.

    ``forwarded``: how often resolve forwarded a signal, by story and place. ``counts``: its counts of the records it
    read, by partition. ``emitted_ms``: when each partition of stories emitted.
    """

    logged: list[LoggedSignal] = field(default_factory=list)
    unreadable: dict[tuple[int, int], bytes] = field(default_factory=dict)
    threads: ThreadIndex = field(default_factory=ThreadIndex)
    scores: dict[str, NoiseScore] = field(default_factory=dict)
    events: Counter[bytes] = field(default_factory=Counter)
    emitted_ms: dict[int, list[int]] = field(default_factory=dict)
    forwarded: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    dead_letters: Counter[tuple[int, int]] = field(default_factory=Counter)
    collect_dead_letters: int = 0
    counts: dict[int, dict[str, int]] = field(default_factory=dict)


async def read_records(kafka: KafkaSettings) -> RunRecords:
    """Read the topics of a run."""
    run = RunRecords()
    options, prefix = kafka.client_options(), kafka.topic_prefix
    reached_ms: dict[int, int] = {}
    async with TopicReader(name("signals", prefix), options) as reader:
        for record in await reader.read_to_end():
            place, raw = (record.partition, record.offset), record.value or b""
            try:
                signal = decode(raw, record.timestamp if record.timestamp > 0 else None)
            except InvalidSignalError:
                run.unreadable[place] = raw
                continue
            at_ms = max(reached_ms.get(record.partition, 0), signal.observed_ms)
            reached_ms[record.partition] = at_ms
            run.logged.append(LoggedSignal(place, at_ms, signal, raw))
    async with TopicReader(name("stories", prefix), options) as reader:
        for record in await reader.read_to_end():
            run.threads.apply(record.key or b"", record.value)
    async with TopicReader(name("story-activity", prefix), options) as reader:
        for record in await reader.read_to_end():
            for activity in decode_activities(record.value or b""):
                if isinstance(activity, StorySignals):
                    story, source = activity.story.id, activity.mark.source
                    run.forwarded.update((story, source, entry.offset) for entry in activity.entries)
    async with TopicReader(name("noise-events", prefix), options) as reader:
        for record in await reader.read_to_end():
            run.events[record.value or b""] += 1
            run.emitted_ms.setdefault(record.partition, []).append(record.timestamp)
    async with TopicReader(name("dead-letters", prefix), options) as reader:
        for record in await reader.read_to_end():
            dead_letter = orjson.loads(record.value or b"")
            if dead_letter["stage"] == "resolve":
                run.dead_letters[dead_letter["partition"], dead_letter["offset"]] += 1
            else:
                run.collect_dead_letters += 1
    async with TopicReader(name("progress", prefix), options) as reader:
        for record in await reader.read_to_end():
            progress = None if record.value is None else decode_progress(record.value)
            if isinstance(progress, ResolveProgress):
                run.counts[int(progress.instance)] = progress.counts
    run.scores = await read_scores(options, prefix)
    return run


def _by_story(run: RunRecords, orphan_wait_ms: int) -> Iterator[tuple[str, LoggedSignal]]:
    """Yield each story with each signal that counts in it, in the order of time."""
    for one in sorted(run.logged, key=lambda one: (one.at_ms, one.place)):
        known = run.threads.known.get(one.signal.thread)
        if known is None or one.at_ms < known.at_ms - orphan_wait_ms:
            continue  # Not decided (it has no root post, or no beat is interested), or an orphan.
        for story in run.threads.current_stories(one.signal.thread):
            yield story, one


def _recompute(run: RunRecords, signals: Iterable[tuple[str, LoggedSignal]]) -> dict[str, tuple[Score, bool]]:
    """Score every story from the plain set of its signals, at the time of its last score.

    Return with each score whether it is exact. The score of a sketched ledger is an estimate.
    """
    read, assess = TextReader.load(), OfflineStoryAssessor(OfflineAssessor())
    ledgers: dict[str, Ledger] = {}
    latest_ms = max((one.at_ms for one in run.logged), default=0)
    for story, one in signals:
        ledgers.setdefault(story, Ledger()).apply(one.signal, read(one.signal))
    scored = {}
    for story, ledger in ledgers.items():
        emitted = run.scores.get(story)
        at_ms = latest_ms if emitted is None else emitted.scored_ms
        ledger.assessment = assess(story, ledger, at_ms)
        ledger.trim()
        scored[story] = score(ledger, at_ms, tiers=read.tiers), ledger.sketches is None
    return scored


def compare_with_oracle(run: RunRecords, orphan_wait_ms: int = 60_000) -> list[Finding]:
    """Compare the scores with those of the plain set of signals."""
    signals = list(_by_story(run, orphan_wait_ms))
    due = {(story, *one.place) for story, one in signals}
    # Signals forwarded to a story that was merged later belong to the other story now.
    forwarded = {(run.threads.story_at(story, math.inf), *place) for story, *place in run.forwarded}
    missing, wrong = due - forwarded, forwarded - due
    expected = _recompute(run, signals)
    lost = twice = 0
    worst = {True: (0.0, ""), False: (0.0, "")}
    for story, (recomputed, exact) in expected.items():
        emitted = run.scores.get(story)
        for platform, tally in recomputed.platforms.items():
            items = (
                0 if emitted is None or platform not in emitted.platforms else int(emitted.platforms[platform].items)
            )
            lost += max(0, tally.items - items)
            twice += max(0, items - tally.items)
        difference = 100.0 if emitted is None else abs(emitted.noise - recomputed.noise)
        worst[exact] = max(worst[exact], (difference, story))
    undecided = [one for one in run.logged if one.signal.is_root and one.signal.thread not in run.threads.known]
    unfounded = run.scores.keys() - expected.keys()
    crowds = sum(not exact for _, exact in expected.values())
    stories = f"{len(expected)} stories of {len(run.logged)} signals"
    return [
        Finding(
            "every signal of a story is forwarded to it",
            not missing and not wrong,
            f"{len(due)} signals; {len(missing)} missing, {len(wrong)} not its own{_first(missing)}; "
            f"{sum(times > 1 for times in run.forwarded.values())} more than once",
        ),
        Finding(
            "every post is decided",  # the beat of these runs is interested in all of them
            not undecided,
            f"{len(undecided)} are not" + "".join(f": {one.signal.id}" for one in undecided[:1]),
        ),
        Finding("nothing lost", lost == 0 and bool(expected), f"{lost} items lost in {stories}"),
        Finding("nothing counted twice", twice == 0, f"{twice} items counted twice"),
        Finding(
            "scores are those of the plain set of signals",
            worst[True][0] < TOLERANCE and not unfounded,
            "greatest difference {:.2g} (story {})".format(*worst[True])
            + f"; {len(unfounded)} stories without any signal"
            + "".join(f"\n{one}, now {run.threads.story_at(one, math.inf)}" for one in sorted(unfounded)[:3]),
        ),
        Finding(
            "scores of stories too large to be stored exactly are near them",
            worst[False][0] < SKETCH_TOLERANCE,
            f"{crowds} stories, greatest difference {worst[False][0]:.2g}",
        ),
    ]


def _first(missing: set[tuple[str, int, int]]) -> str:
    return " ({}: partition {}, offset {})".format(*min(missing)) if missing else ""


def accounted(run: RunRecords) -> Finding:
    """Compare resolve's counts of the records it read with the log, over all workers and repeated reads."""
    log = Counter(partition for partition, _ in (*(one.place for one in run.logged), *run.unreadable))
    total = sum(map(Counter[str], run.counts.values()), Counter[str]())
    kept = log.keys() == run.counts.keys()
    for partition, counts in run.counts.items():
        kept &= counts["read"] == sum(counts.values()) - counts["read"] and counts["read"] >= log[partition]
    found = ", ".join(f"{count} {what}" for what, count in sorted(total.items()))
    return Finding("every record read is accounted for", kept, f"{log.total()} in the log; {found}")


def dead_letters(run: RunRecords, poison: Mapping[tuple[int, int], bytes]) -> Finding:
    """Compare the dead letters with the poison that was published."""
    missing = run.unreadable.keys() - run.dead_letters.keys()
    wrong = run.dead_letters.keys() - run.unreadable.keys()
    again = run.dead_letters.total() - len(run.dead_letters)
    found = f"{len(poison)} poisoned, {len(run.dead_letters)} dead, {len(missing)} missing, {len(wrong)} valid"
    kept = not missing and not wrong and run.unreadable == dict(poison)
    return Finding("every invalid record is a dead letter", kept, f"{found}; {again} reported more than once")


def compare_with_undisturbed(run: RunRecords, undisturbed: RunRecords) -> list[Finding]:
    """Compare stories, scores and all events except updates with those of the same recording undisturbed."""
    worst = max(
        (
            100.0
            if story not in run.scores or story not in undisturbed.scores
            else abs(run.scores[story].noise - undisturbed.scores[story].noise)
            for story in run.scores.keys() | undisturbed.scores.keys()
        ),
        default=100.0,
    )
    emitted, expected = _comparable(run.scores), _comparable(undisturbed.scores)
    differ = [
        f"{story} in {what}"
        for story in sorted(expected.keys() & emitted.keys())
        for what in _differ(*map(msgspec.to_builtins, (emitted[story], expected[story])))
    ]
    events, expected_events = _lasting(run.events), _lasting(undisturbed.events)
    return [
        Finding("final scores are those of the undisturbed run", worst < TOLERANCE, f"greatest difference {worst:.2g}"),
        Finding(
            "all other fields of the scores are those of the undisturbed run",
            not differ and emitted.keys() == expected.keys(),
            f"{len(expected)} stories undisturbed, {len(emitted)} here; {len(differ)} differences"
            + "".join(f"\n{difference}" for difference in differ[:3]),
        ),
        Finding(
            "events are those of the undisturbed run",
            events == expected_events,
            f"{len(expected_events)} undisturbed; {len(expected_events - events)} missing, "
            f"{len(events - expected_events)} more"
            + "".join(f"\n{event.decode()[:400]}" for event in sorted(events ^ expected_events)[:2]),
        ),
    ]


def _differ(emitted: object, due: object, place: str = "") -> Iterator[str]:
    """Yield where the two differ, with both values."""
    if isinstance(emitted, dict) and isinstance(due, dict) and emitted.keys() == due.keys():
        for key, value in emitted.items():
            yield from _differ(value, due[key], f"{place}.{key}")
    elif emitted != due:
        yield f"{place.removeprefix('.')}: {emitted} instead of {due}"[:MAX_SHOWN_CHARS]


def _comparable(scores: Mapping[str, NoiseScore]) -> dict[str, NoiseScore]:
    """Return the scores without ``previous``, which depends on timing."""
    return {story: msgspec.structs.replace(item, previous=None) for story, item in scores.items()}


def _lasting(events: Iterable[bytes]) -> set[bytes]:
    return {event for event in events if b'"noise_update"' not in event}


def compare_with_world(run: RunRecords, world: World, due: Sequence[str]) -> list[Finding]:
    """Compare the collected signals with the world. ``due``: the ids that must have arrived.

    Reddit lists the newest thousand comments. The finding says how many missing comments were not listed any more at
    the first poll after faults had kept all collectors away.
    """
    arrived, wrong = set(), 0
    for one in run.logged:
        item = world.find(one.signal.id)
        arrived.add(one.signal.id)
        if item is None:
            wrong += 1
            continue
        thread = item.post.signal_id if isinstance(item, Reply) else item.signal_id
        wrong += (one.signal.thread, one.signal.created_ms) != (thread, item.created_ms)
    missing = set(due) - arrived
    polls_ms = sorted(one.signal.observed_ms for one in run.logged if _is_comment(one.signal))
    unlisted = sum(_is_unlisted(world.find(id_), polls_ms, world) for id_ in missing)
    return [
        Finding(
            "every item is collected",
            not missing and bool(due),
            f"{len(due)} posts and replies; {len(missing)} missing, {unlisted} of them no longer listed at the next "
            f"poll: {', '.join(sorted(missing)[:3])}",
        ),
        Finding("every collected signal is true", wrong == 0, f"{wrong} of {len(run.logged)} signals are not"),
    ]


def _is_comment(signal: Signal) -> bool:
    return signal.platform == "reddit" and signal.kind == "reply"


def _is_unlisted(item: Item | None, polls_ms: Sequence[int], world: World) -> bool:
    """Return whether ``item`` is a comment that had left the listing before the first poll after it appeared.

    ``polls_ms``: when comments were observed, in order.
    """
    if not isinstance(item, Reply) or item.platform != "reddit":
        return False
    comments, after = world.replies("reddit"), bisect_right(polls_ms, item.appears_ms)
    return after < len(polls_ms) and comments.until(polls_ms[after]) - comments.below(place(item)) > LISTED_COMMENTS
