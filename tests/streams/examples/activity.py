"""Generated partitions of ``story-activity``: what some sources send of a few stories, in any order and repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ingest.signal import Author, Counts, Signal
from scoring import UNREAD, Reading, Tier
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import StoryInfo
from streams.records.story_activity import Activity, Entry, StorySignals, WatermarkAdvance

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SETTLE = "the end"
PLATFORMS = ("reddit", "hackernews", "bluesky")


class Unread:
    """Finds nothing in any text."""

    tiers: Mapping[str, Tier] = {}

    def __call__(self, signal: Signal) -> Reading:  # noqa: ARG002
        return UNREAD


def story(number: int) -> StoryInfo:
    return StoryInfo(f"st_{number}", f"story-{number}", f"Story {number}", "beat", START_MS)


@dataclass(frozen=True)
class Sent:
    """One signal of one source."""

    source: int
    story: int
    entry: Entry


def seen(platform: str, number: int, at_ms: int, *, replies_to: int | None = None, likes: int = 0) -> Signal:
    root = number if replies_to is None else replies_to
    return Signal(
        id=f"{platform}:{root}" if replies_to is None else f"{platform}:{root}r{number}",
        kind="post" if replies_to is None else "reply",
        platform=platform,
        thread=f"{platform}:{root}",
        author=Author(f"author{number % 7}", 1_000 * (number % 5)),
        title=f"post {root}",
        counts=Counts(likes=likes, replies=likes // 3),
        created_ms=at_ms,
        observed_ms=at_ms,
    )


def make_sources(chance: random.Random, *, sources: int = 3, stories: int = 3, hours: int = 100) -> list[list[Sent]]:
    """Return what each source holds, in the order of its offsets: bursts that make a story spike, and long silences."""
    lanes: list[list[Sent]] = []
    for source in range(sources):
        times: list[tuple[int, int]] = []
        for _ in range(chance.randrange(1, 4)):
            began_ms = START_MS + chance.randrange(hours * HOUR_MS)
            about = chance.randrange(stories)
            times += [(began_ms + chance.randrange(20 * MINUTE_MS), about) for _ in range(chance.choice((1, 2, 8, 15)))]
        lane: list[Sent] = []
        offset = 0
        for number, (at_ms, about) in enumerate(sorted(times)):
            offset += chance.randrange(1, 4)  # the offsets between belong to other stories
            root = source * 100 + number - number % 4
            replies_to = None if number % 4 == 0 else root
            likes = int(chance.paretovariate(0.6)) % 100_000
            one = seen(PLATFORMS[source % 3], source * 100 + number, at_ms, replies_to=replies_to, likes=likes)
            lane.append(Sent(source, about, Entry(offset, at_ms, one)))
        lanes.append(lane)
    return lanes


def make_crowd(chance: random.Random, *, sources: int = 6, posts: int = 80) -> list[list[Sent]]:
    """Return a story of more items than are kept one by one, each seen again and again with more or fewer likes."""
    lanes: list[list[Sent]] = []
    for source in range(sources):
        looks = sorted((START_MS + chance.randrange(9_000), number % posts) for number in range(3 * posts))
        lane = []
        for offset, (at_ms, number) in enumerate(looks):
            likes = int(chance.paretovariate(0.5)) % 1_000
            signal = seen(PLATFORMS[source % 3], source * posts + number, at_ms, likes=likes)
            lane.append(Sent(source, 0, Entry(offset, at_ms, signal)))
        lanes.append(lane)
    return lanes


def end_of(lanes: list[list[Sent]]) -> int:
    return max((sent.entry.at_ms for lane in lanes for sent in lane), default=START_MS) + 7_777


def in_order(lanes: list[list[Sent]]) -> list[Activity]:
    """Return the simplest log: everything in the order of time, and then the end."""
    everything = sorted((s for lane in lanes for s in lane), key=lambda s: (s.entry.at_ms, s.source, s.entry.offset))
    marks = [SourceWatermark(source, len(lanes), 0) for source in range(len(lanes))]
    log = [StorySignals(marks[s.source], 0, story(s.story), (s.entry,)) for s in everything]
    return [*log, *_ends(lanes)]


def _ends(lanes: list[list[Sent]]) -> list[Activity]:
    end_ms = end_of(lanes)
    marks = (SourceWatermark(source, len(lanes), end_ms, settle=SETTLE) for source in range(len(lanes)))
    return [WatermarkAdvance(mark) for mark in marks]


def mixed(chance: random.Random, lanes: list[list[Sent]]) -> list[Activity]:
    """Return a log as several workers may write it: sources mixed, posts late, parts of it sent again."""
    queues = [_sends(chance, number, len(lanes), lane, end_of(lanes)) for number, lane in enumerate(lanes)]
    log: list[Activity] = []
    pending = [list(queue) for queue in queues]
    while any(pending):
        queue = chance.choice([queue for queue in pending if queue])
        count = chance.randrange(1, 6)
        log += queue[:count]
        del queue[:count]
    # Watermarks are repeated, so that a late reader gets them too.
    return [*log, *_ends(lanes)]


def _sends(chance: random.Random, source: int, sources: int, lane: list[Sent], end_ms: int) -> Iterator[Activity]:
    """Yield what a source sends: in batches by story, each followed by its watermark; sometimes earlier ones again."""
    waiting = list(lane)
    kept_back: list[Sent] = []
    while waiting or kept_back:
        batch: list[Sent] = []
        for _ in range(chance.randrange(1, 12)):
            if waiting:
                # An undecided post waits; later signals do not.
                one = waiting.pop(0)
                (kept_back if chance.random() < 0.2 else batch).append(one)
        if kept_back and (not waiting or chance.random() < 0.5):
            batch += kept_back
            kept_back = []
        left = [*kept_back, *waiting]
        low = min((one.entry.offset for one in left), default=10**6)
        for about in sorted({one.story for one in batch}, key=lambda _: chance.random()):
            entries = [one.entry for one in batch if one.story == about]
            for cut in (entries[:2], entries[2:]):
                if cut:
                    is_last = cut[-1] is entries[-1]
                    yield StorySignals(
                        SourceWatermark(source, sources, 0), low if is_last else 0, story(about), tuple(cut)
                    )
        mark_ms = min((one.entry.at_ms for one in left), default=end_ms + 1) - 1
        if left:
            yield WatermarkAdvance(SourceWatermark(source, sources, mark_ms))
        if lane and chance.random() < 0.15:
            # Another worker takes over and reads again from a committed offset.
            again = chance.randrange(len(lane) - len(left)) if len(left) < len(lane) else 0
            waiting = sorted({one.entry.offset: one for one in (*lane[again:], *left)}.values(), key=_offset)
            kept_back = []
    yield WatermarkAdvance(SourceWatermark(source, sources, end_ms, settle=SETTLE))


def _offset(sent: Sent) -> int:
    return sent.entry.offset
