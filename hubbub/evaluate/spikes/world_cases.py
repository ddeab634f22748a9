"""What spike detectors are tried on: the simulated world, whose onsets are known, and recorded signals.

Owns where the stories come from. What a surge is, in a recording, and how detectors are measured, is
``streams.score.evaluate``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from hubbub.evaluate.hindsight import Surge
from hubbub.evaluate.spike_cases import Case, from_first_item, recorded
from hubbub.evaluate.spike_measure import Measured, measure
from hubbub.operate.replay import read_recordings
from hubbub.world.generated import Size, generate
from hubbub.world.items import Item, Post, Story
from hubbub.world.truth import StoryTruth, truth
from ingest.signal import InvalidSignalError, Signal
from transport.errors import UserError

__all__ = ["Recording", "read", "trials", "world_cases"]

WORLD = "the simulated world"
WORLDS = range(1, 9)
SIZE = Size(hours=48.0, stories=40, chatter=400)
BEGINS_MS = 1_760_000_000_000
LASTS_MS = 4 * 3_600_000
"""How long after its onset a wave of the world's goes on; later, or once the next begins, it is not found in time."""
DUE_ITEMS = 15
DUE_TIMES = 2
"""A sharp onset should be found that brings so many items in its first hour (the reference site's growing story), and
so many times as many as came in the hour before."""


class _Labelled(msgspec.Struct):
    label: str | msgspec.UnsetType | None = msgspec.UNSET


PACKED = {".gz", ".zst"}
_label = msgspec.json.Decoder(_Labelled).decode


class Recording(msgspec.Struct, frozen=True):
    """The stories of a file. ``labelled``: by what the file says; otherwise each thread is one."""

    name: str
    labelled: bool
    cases: list[Case]


def trials(
    recordings: Sequence[Recording], *, world: bool, begin: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, Measured]]:
    """Yield the name of each set of stories, and what the detectors made of it; ``begin`` is told which comes next."""
    if world:
        begin(WORLD)
        yield WORLD, measure(world_cases())
    for recording in recordings:
        begin(recording.name)
        yield recording.name, measure(recording.cases)
        if recording.labelled:
            name = f"{recording.name}, each event from its first item"
            yield name, measure(from_first_item(recording.cases))


def read(file: Path) -> Recording:
    """Read a file of recorded signals (NDJSON, plain, .gz or .zst), with or without labels.

    Raises:
        UserError: the file cannot be read, or holds no signals.
    """
    refused: list[InvalidSignalError] = []
    read_ = read_recordings([file], lambda _file, _line, error: refused.append(error))
    signals = [(_label(raw).label, signal) for signal, raw in read_]
    if not signals:
        why = f" (the first line that is none: {refused[0]})" if refused else ""
        raise UserError(
            f"{file.name} holds no signals{why}; each line must be a signal as docs/reference/contracts.md describes it"
        )
    labelled = any(label is not msgspec.UNSET for label, _ in signals)
    named = ((label if isinstance(label, str) else None, signal) for label, signal in signals)
    name = file.name.removesuffix(file.suffix).removesuffix(".ndjson") if file.suffix in PACKED else file.stem
    return Recording(name, labelled, recorded(named, labelled=labelled))


def world_cases(seeds: Iterable[int] = WORLDS, size: Size = SIZE) -> Iterator[Case]:
    """Yield the stories of generated worlds, and their chatter, in each thread of which nothing should be found."""
    for seed in seeds:
        world = generate(seed, BEGINS_MS, size)
        told = {story.id: story for story in truth(world, world.ends_ms).stories}
        for story in world.stories:
            if story.id in told:
                yield Case(story.title, _signals(story.posts), _surges(story, told[story.id]))
        for platform in ("reddit", "hackernews"):
            for post in world.posts(platform).items:
                if post.story is None:
                    yield Case(post.title, _signals([post]), ())


def _surges(story: Story, told: StoryTruth) -> tuple[Surge, ...]:
    """Return the waves of a story: sharp ones are due, of the others it is open whether they are spikes."""
    due = {
        spike.onset_ms for spike in told.spikes if spike.items_after >= max(DUE_ITEMS, DUE_TIMES * spike.items_before)
    }
    starts = sorted(wave.start_ms for wave in story.waves)
    ends = [*starts[1:], starts[-1] + LASTS_MS]
    return tuple(
        Surge(start_ms, start_ms if start_ms in due else None, min(end_ms, start_ms + LASTS_MS))
        for start_ms, end_ms in zip(starts, ends, strict=True)
    )


def _signals(posts: Iterable[Post]) -> list[Signal]:
    items: list[tuple[Item, Post]] = [(item, post) for post in posts for item in (post, *post.thread)]
    items.sort(key=lambda pair: (pair[0].appears_ms, pair[0].signal_id))
    return [
        Signal(
            id=item.signal_id,
            kind="post" if item is post else "reply",
            platform=item.platform,
            thread=post.signal_id,
            created_ms=item.created_ms,
            observed_ms=item.appears_ms,
        )
        for item, post in items
    ]
