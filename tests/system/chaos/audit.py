"""What came of it: scores and events held against the plain set of signals and against a run that nobody disturbed.

Owns the oracle: the topic ``signals`` read from its beginning, each thread's story from ``stories``, and scoring in one
go, without windows of delivery, without state, without a clock.
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
    "Outcome",
    "account",
    "against_oracle",
    "against_undisturbed",
    "against_world",
    "letters",
    "read_outcome",
]

MAX_SHOWN = 400
TOLERANCE = 1e-6
LISTED = DEPTH - 50
"""Comments that are surely listed: some come while the pages of a listing are read, one after the other."""
CROWD_TOLERANCE = 1.0
"""Points: of a story with more items than a ledger keeps, a sample is kept, and which one is a matter of order."""


class Finding(msgspec.Struct, frozen=True):
    """One promise, whether it was kept, and the figures."""

    promise: str
    kept: bool
    found: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A signal where it stands in the log; ``at_ms``: its time there, which never goes back within a partition."""

    place: tuple[int, int]
    at_ms: int
    signal: Signal
    raw: bytes


@dataclass(slots=True)
class Outcome:
    """Everything a run left in its topics. ``unreadable``: records of ``signals`` that are none, by their place.

    ``handed_on``: how often resolve handed a signal on, by story and place. ``counts``: what it says became of all it
    read, by partition. ``told_ms``: when each partition of stories told of one.
    """

    logged: list[Logged] = field(default_factory=list)
    unreadable: dict[tuple[int, int], bytes] = field(default_factory=dict)
    threads: ThreadIndex = field(default_factory=ThreadIndex)
    scores: dict[str, NoiseScore] = field(default_factory=dict)
    events: Counter[bytes] = field(default_factory=Counter)
    told_ms: dict[int, list[int]] = field(default_factory=dict)
    handed_on: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    letters: Counter[tuple[int, int]] = field(default_factory=Counter)
    collect_letters: int = 0
    counts: dict[int, dict[str, int]] = field(default_factory=dict)


async def read_outcome(kafka: KafkaSettings) -> Outcome:
    """Read what a run has left."""
    outcome = Outcome()
    options, prefix = kafka.client_options(), kafka.topic_prefix
    reached_ms: dict[int, int] = {}
    async with TopicReader(name("signals", prefix), options) as tail:
        for record in await tail.read_to_end():
            place, raw = (record.partition, record.offset), record.value or b""
            try:
                signal = decode(raw, record.timestamp if record.timestamp > 0 else None)
            except InvalidSignalError:
                outcome.unreadable[place] = raw
                continue
            at_ms = max(reached_ms.get(record.partition, 0), signal.observed_ms)
            reached_ms[record.partition] = at_ms
            outcome.logged.append(Logged(place, at_ms, signal, raw))
    async with TopicReader(name("stories", prefix), options) as tail:
        for record in await tail.read_to_end():
            outcome.threads.apply(record.key or b"", record.value)
    async with TopicReader(name("story-activity", prefix), options) as tail:
        for record in await tail.read_to_end():
            for activity in decode_activities(record.value or b""):
                if isinstance(activity, StorySignals):
                    story, source = activity.story.id, activity.mark.source
                    outcome.handed_on.update((story, source, entry.offset) for entry in activity.entries)
    async with TopicReader(name("noise-events", prefix), options) as tail:
        for record in await tail.read_to_end():
            outcome.events[record.value or b""] += 1
            outcome.told_ms.setdefault(record.partition, []).append(record.timestamp)
    async with TopicReader(name("dead-letters", prefix), options) as tail:
        for record in await tail.read_to_end():
            letter = orjson.loads(record.value or b"")
            if letter["stage"] == "resolve":
                outcome.letters[letter["partition"], letter["offset"]] += 1
            else:
                outcome.collect_letters += 1
    async with TopicReader(name("progress", prefix), options) as tail:
        for record in await tail.read_to_end():
            progress = None if record.value is None else decode_progress(record.value)
            if isinstance(progress, ResolveProgress):
                outcome.counts[int(progress.instance)] = progress.counts
    outcome.scores = await read_scores(options, prefix)
    return outcome


def _by_story(outcome: Outcome, orphan_wait_ms: int) -> Iterator[tuple[str, Logged]]:
    """Yield each story with each signal that is to be counted in it, in the order of time."""
    for one in sorted(outcome.logged, key=lambda one: (one.at_ms, one.place)):
        known = outcome.threads.lookup(one.signal.thread)
        if known is None or one.at_ms < known.at_ms - orphan_wait_ms:
            continue  # Nobody decided it: no root post, or nothing that any beat cares for. Or an orphan.
        for story in outcome.threads.current_stories(one.signal.thread):
            yield story, one


def _by_hand(outcome: Outcome, signals: Iterable[tuple[str, Logged]]) -> dict[str, tuple[Score, bool]]:
    """Score every story from the plain set of its signals, at the time at which it was scored last.

    With each score, whether it is exact: that of a crowd is an estimate.
    """
    read, assess = TextReader.default(), OfflineStoryAssessor(OfflineAssessor())
    ledgers: dict[str, Ledger] = {}
    latest_ms = max((one.at_ms for one in outcome.logged), default=0)
    for story, one in signals:
        ledgers.setdefault(story, Ledger()).apply(one.signal, read(one.signal))
    scored = {}
    for story, ledger in ledgers.items():
        told = outcome.scores.get(story)
        at_ms = latest_ms if told is None else told.scored_ms
        ledger.assessment = assess(story, ledger, at_ms)
        ledger.trim()
        scored[story] = score(ledger, at_ms, tiers=read.tiers), ledger.sketches is None
    return scored


def against_oracle(outcome: Outcome, orphan_wait_ms: int = 60_000) -> list[Finding]:
    """Hold the scores told against those worked out from the plain set of signals."""
    signals = list(_by_story(outcome, orphan_wait_ms))
    due = {(story, *one.place) for story, one in signals}
    # What was handed on to a story that was merged later is the other's by now.
    handed_on = {(outcome.threads.story_at(story, math.inf), *place) for story, *place in outcome.handed_on}
    missing, wrong = due - handed_on, handed_on - due
    expected = _by_hand(outcome, signals)
    lost = twice = 0
    worst = {True: (0.0, ""), False: (0.0, "")}
    for story, (by_hand, exact) in expected.items():
        told = outcome.scores.get(story)
        for platform, tally in by_hand.platforms.items():
            items = 0 if told is None or platform not in told.platforms else int(told.platforms[platform].items)
            lost += max(0, tally.items - items)
            twice += max(0, items - tally.items)
        difference = 100.0 if told is None else abs(told.noise - by_hand.noise)
        worst[exact] = max(worst[exact], (difference, story))
    undecided = [one for one in outcome.logged if one.signal.is_root and not outcome.threads.lookup(one.signal.thread)]
    made_up = outcome.scores.keys() - expected.keys()
    crowds = sum(not exact for _, exact in expected.values())
    stories = f"{len(expected)} stories of {len(outcome.logged)} signals"
    return [
        Finding(
            "every signal of a story is handed on to it",
            not missing and not wrong,
            f"{len(due)} signals; {len(missing)} missing, {len(wrong)} not its own{_first(missing)}; "
            f"{sum(times > 1 for times in outcome.handed_on.values())} more than once",
        ),
        Finding(
            "every post is decided on",  # the beat of these runs takes all of them
            not undecided,
            f"{len(undecided)} are not" + "".join(f": {one.signal.id}" for one in undecided[:1]),
        ),
        Finding("nothing lost", lost == 0 and bool(expected), f"{lost} items lost in {stories}"),
        Finding("nothing counted twice", twice == 0, f"{twice} items counted twice"),
        Finding(
            "scores are those of the plain set of signals",
            worst[True][0] < TOLERANCE and not made_up,
            "greatest difference {:.2g} (story {})".format(*worst[True])
            + f"; {len(made_up)} stories out of nothing"
            + "".join(f"\n{one}, now {outcome.threads.story_at(one, math.inf)}" for one in sorted(made_up)[:3]),
        ),
        Finding(
            "those of stories too large to be kept exactly are near them",
            worst[False][0] < CROWD_TOLERANCE,
            f"{crowds} stories, greatest difference {worst[False][0]:.2g}",
        ),
    ]


def _first(missing: set[tuple[str, int, int]]) -> str:
    return " ({}: partition {}, offset {})".format(*min(missing)) if missing else ""


def account(outcome: Outcome) -> Finding:
    """Hold what resolve says became of the records it read, whoever read them and how often, against the log."""
    log = Counter(partition for partition, _ in (*(one.place for one in outcome.logged), *outcome.unreadable))
    total = sum(map(Counter[str], outcome.counts.values()), Counter[str]())
    kept = log.keys() == outcome.counts.keys()
    for partition, counts in outcome.counts.items():
        kept &= counts["read"] == sum(counts.values()) - counts["read"] and counts["read"] >= log[partition]
    found = ", ".join(f"{count} {what}" for what, count in sorted(total.items()))
    return Finding("every record read is accounted for", kept, f"{log.total()} in the log; {found}")


def letters(outcome: Outcome, poison: Mapping[tuple[int, int], bytes]) -> Finding:
    """Hold the dead letters against what was published to become one."""
    missing = outcome.unreadable.keys() - outcome.letters.keys()
    wrong = outcome.letters.keys() - outcome.unreadable.keys()
    again = outcome.letters.total() - len(outcome.letters)
    found = f"{len(poison)} poisoned, {len(outcome.letters)} dead, {len(missing)} vanished, {len(wrong)} buried alive"
    kept = not missing and not wrong and outcome.unreadable == dict(poison)
    return Finding("what is no signal is a dead letter", kept, f"{found}; {again} told more than once")


def against_undisturbed(outcome: Outcome, calm: Outcome) -> list[Finding]:
    """Hold everything against the same recording undisturbed: stories, scores, and every event but mere updates."""
    worst = max(
        (
            100.0
            if story not in outcome.scores or story not in calm.scores
            # Both are there:
            else abs(outcome.scores[story].noise - calm.scores[story].noise)
            for story in outcome.scores.keys() | calm.scores.keys()
        ),
        default=100.0,
    )
    told, expected = _comparable(outcome.scores), _comparable(calm.scores)
    differ = [
        f"{story} in {what}"
        for story in sorted(expected.keys() & told.keys())
        for what in _differ(*map(msgspec.to_builtins, (told[story], expected[story])))
    ]
    happened, should = _happened(outcome.events), _happened(calm.events)
    return [
        Finding("final scores are those of the undisturbed run", worst < TOLERANCE, f"greatest difference {worst:.2g}"),
        Finding(
            "so is everything else told of a story",
            not differ and told.keys() == expected.keys(),
            f"{len(expected)} stories undisturbed, {len(told)} here; {len(differ)} differences"
            + "".join(f"\n{difference}" for difference in differ[:3]),
        ),
        Finding(
            "events are those of the undisturbed run",
            happened == should,
            f"{len(should)} undisturbed; {len(should - happened)} missing, {len(happened - should)} more"
            + "".join(f"\n{event.decode()[:400]}" for event in sorted(happened ^ should)[:2]),
        ),
    ]


def _differ(told: object, due: object, place: str = "") -> Iterator[str]:
    """Yield where the two differ, and what each says there."""
    if isinstance(told, dict) and isinstance(due, dict) and told.keys() == due.keys():
        for key, value in told.items():
            yield from _differ(value, due[key], f"{place}.{key}")
    elif told != due:
        yield f"{place.removeprefix('.')}: {told} instead of {due}"[:MAX_SHOWN]


def _comparable(scores: Mapping[str, NoiseScore]) -> dict[str, NoiseScore]:
    """Return what must not depend on how a result came about: all but what was told before."""
    return {story: msgspec.structs.replace(item, previous=None) for story, item in scores.items()}


def _happened(events: Iterable[bytes]) -> set[bytes]:
    return {event for event in events if b'"noise_update"' not in event}


def against_world(outcome: Outcome, world: World, due: Sequence[str]) -> list[Finding]:
    """Hold what was collected against the world it was collected from; ``due``: what must have arrived.

    Reddit shows the newest thousand comments. Of what is missing it is told how much nobody could see any more when
    they looked again, after brokers and collectors had been struck together.
    """
    arrived, wrong = set(), 0
    for one in outcome.logged:
        item = world.find(one.signal.id)
        arrived.add(one.signal.id)
        if item is None:
            wrong += 1
            continue
        thread = item.post.signal_id if isinstance(item, Reply) else item.signal_id
        wrong += (one.signal.thread, one.signal.created_ms) != (thread, item.created_ms)
    missing = set(due) - arrived
    looks = sorted(one.signal.observed_ms for one in outcome.logged if _is_comment(one.signal))
    unlisted = sum(_is_unlisted(world.find(id_), looks, world) for id_ in missing)
    return [
        Finding(
            "everything there was is collected",
            not missing and bool(due),
            f"{len(due)} posts and replies; {len(missing)} missing, {unlisted} of them no longer listed when somebody "
            f"next looked: {', '.join(sorted(missing)[:3])}",
        ),
        Finding("what is collected is true", wrong == 0, f"{wrong} of {len(outcome.logged)} signals are not"),
    ]


def _is_comment(signal: Signal) -> bool:
    return signal.platform == "reddit" and signal.kind == "reply"


def _is_unlisted(item: Item | None, looks: Sequence[int], world: World) -> bool:
    """Return whether ``item`` is a comment that had left the listing before the first of the ``looks`` that follow it.

    ``looks``: when comments were seen, in order.
    """
    if not isinstance(item, Reply) or item.platform != "reddit":
        return False
    comments, after = world.replies("reddit"), bisect_right(looks, item.appears_ms)
    return after < len(looks) and comments.until(looks[after]) - comments.above(place(item)) >= LISTED
