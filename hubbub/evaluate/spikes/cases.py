"""Cases: stories whose surges are known, to try spike detectors on.

Owns the making of cases from recorded signals. Must never know the detectors.

A recording says what was posted, not when a detector should have fired. :mod:`hubbub.evaluate.spikes.hindsight` decides
that from the whole story. In a labelled recording, the first item of an event may be its onset instead.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hubbub.evaluate.spikes.hindsight import Cell, Surge, surges
from ingest.signal import Signal

GRACE_MS = 3_600_000
"""An alarm up to an hour after a surge still finds it, so that an hourly detector has its chance."""
FIVE_MINUTES_MS = 300_000
UNRELATED = "(unrelated)"
"""The story of all signals without a label: unrelated posts, in which there is hardly anything to find."""


@dataclass(frozen=True, slots=True)
class Case:
    """A story. ``signals``: in order of observation; can be iterated more than once."""

    story: str
    signals: Iterable[Signal]
    surges: tuple[Surge, ...]


@dataclass(frozen=True, slots=True)
class _Thread:
    """A post whose replies the recording only counts, at each observation.

    Stand-ins for the replies are spread at random between two observations, in the same way every time.
    """

    post: Signal
    cells: Sequence[Cell]

    def __iter__(self) -> Iterator[Signal]:
        """Yield the post when it was created, then a stand-in for each reply."""
        yield _item(self.post, self.post.id, "post", self.post.created_ms)
        number = 0
        chance = random.Random(self.post.id)
        for cell in self.cells:
            for at_ms in sorted(chance.randrange(cell.begin_ms, cell.end_ms) for _ in range(cell.items)):
                yield _item(self.post, f"{self.post.id}/{number}", "reply", at_ms)
                number += 1


def recorded(signals: Iterable[tuple[str | None, Signal]], *, labelled: bool) -> list[Case]:
    """Return the stories of a recording, each signal with its label.

    ``labelled``: each label is a story with its signals as items. Otherwise each thread is a story with its replies as
    items. Where only the number of replies was recorded, stand-ins are spread between the observations.
    """
    stories: dict[str, list[Signal]] = defaultdict(list)
    for label, signal in signals:
        stories[(label or UNRELATED) if labelled else signal.thread].append(signal)
    cases: list[Case] = []
    for story, seen in stories.items():
        seen.sort(key=lambda signal: signal.observed_ms)
        cells = [] if labelled else _growth(seen)
        if cells:
            cases.append(Case(story, _Thread(seen[0], cells), _surges(cells)))
        else:
            cases.append(Case(story, seen, _surges(_moments(sorted(_voices_ms(seen))))))
    return cases


def _voices_ms(seen: Sequence[Signal]) -> Iterable[int]:
    """Return when people speak: an author counts once in five minutes, and so does each item of an unknown author."""
    first_ms: dict[tuple[str, ...] | str, int] = {}
    for signal in reversed(seen):
        at_ms = min(signal.created_ms, signal.observed_ms)
        author = signal.author and signal.author.name
        who = (signal.platform, author, str(at_ms // FIVE_MINUTES_MS)) if author else signal.id
        first_ms[who] = min(at_ms, first_ms.get(who, at_ms))
    return first_ms.values()


def from_first_item(cases: Iterable[Case]) -> list[Case]:
    """Return the same stories, each with one surge: the whole story. Unrelated posts have none."""
    changed: list[Case] = []
    for case in cases:
        times_ms = [signal.observed_ms for signal in case.signals]
        whole = Surge(times_ms[0], times_ms[0], times_ms[-1] + GRACE_MS)
        changed.append(Case(case.story, case.signals, () if case.story == UNRELATED else (whole,)))
    return changed


def _surges(cells: Sequence[Cell]) -> tuple[Surge, ...]:
    return tuple(surge._replace(end_ms=surge.end_ms + GRACE_MS) for surge in surges(cells))


def _growth(seen: Sequence[Signal]) -> list[Cell]:
    """Return the growth of a post's reply counter between observations; nothing if there are real replies."""
    if any(signal.kind != "post" for signal in seen):
        return []
    cells: list[Cell] = []
    before_ms, before = seen[0].created_ms, 0
    for signal in seen:
        replies = signal.counts.replies
        if replies is None or signal.observed_ms <= before_ms:
            continue
        cells.append(Cell(before_ms, signal.observed_ms, max(0, replies - before)))
        before_ms, before = signal.observed_ms, max(before, replies)
    return cells


def _moments(times_ms: Sequence[int]) -> list[Cell]:
    """Return a cell from each moment with items to the next; the last one has the mean length."""
    counts = Counter(times_ms)
    moments = sorted(counts)
    lasts_ms = (moments[-1] - moments[0]) // (len(moments) - 1) if len(moments) > 1 else GRACE_MS
    ends = [*moments[1:], moments[-1] + lasts_ms]
    return [Cell(begin_ms, end_ms, counts[begin_ms]) for begin_ms, end_ms in zip(moments, ends, strict=True)]


def _item(post: Signal, name: str, kind: Literal["post", "reply"], at_ms: int) -> Signal:
    return Signal(id=name, kind=kind, platform=post.platform, thread=post.id, created_ms=at_ms, observed_ms=at_ms)
