"""The records that Hubbub's own stages send each other, and the time marks among them.

Owns the wire form of the internal topics ``candidates``, ``stories``, ``story-activity`` and ``progress``. They are no
contract with other programs (those are in ``docs/reference/contracts.md``) but they outlive a process, so a field is
only ever added, with a default.

How time travels: each partition of ``signals`` is a *source*. ``at_ms`` of a record in it is its observation time, but
never less than that of a record before it in the partition: a time that only grows and that every reader of the log
works out alike. A *mark* ``(source, mark_ms)`` says: everything of this source up to ``mark_ms`` has been sent here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ingest.signal import Signal

__all__ = [
    "NOWHERE",
    "Activity",
    "Assignment",
    "Candidate",
    "Entry",
    "Lesson",
    "Mark",
    "Merge",
    "Merging",
    "Moved",
    "Order",
    "Progress",
    "RawActivity",
    "RawEntry",
    "Reached",
    "StoryInfo",
    "ThreadRecord",
    "Transfer",
    "decode_activities",
    "decode_candidate",
    "decode_moved",
    "decode_order",
    "decode_progress",
    "decode_reached",
    "decode_story",
    "decode_thread",
    "encode",
]

Offset = Annotated[int, Meta(ge=0)]


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How far a source has come.

    ``sources``: how many there are. ``idle``: nothing is waiting in it, so nobody need wait for it. ``settle``: the
    replay that ended here, if one did; every story is to be scored at exactly the time it ended.
    """

    source: Offset
    sources: Annotated[int, Meta(ge=1)]
    mark_ms: int
    idle: bool = False
    settle: str = ""


class StoryInfo(msgspec.Struct, frozen=True, gc=False):
    """What a story is called. ``id`` is derived from the beat and the founding post, so replays find the same.

    ``into``: the story that it turned out to be the same as; what its threads are seen to say after ``merged_ms``
    belongs there. ``forgotten_ms``: when it had been without a new post for too long; what comes later is not used.
    """

    id: str
    slug: str
    title: str
    beat: str
    founded_ms: int
    into: str | None = None
    merged_ms: int = 0
    forgotten_ms: int = 0


NOWHERE = ""
"""Where a blocked story goes: it is merged into nothing."""


class Merging(msgspec.Struct, frozen=True, gc=False):
    """A merge on its way to the two stories: all of ``gone`` up to ``at_ms`` becomes part of ``into``, or of nothing.

    Merges have an order, by (``at_ms``, ``sequence`` of the decision behind it, ``number`` among those of that
    decision), and come after everything else of the time ``at_ms``.
    """

    at_ms: int
    sequence: int
    number: int
    gone: StoryInfo
    into: StoryInfo


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """What one story leaves to the other: its encoded scoring state, empty if there is none (any more).

    ``absorbed``: the stories that it had taken in itself.
    """

    merging: Merging
    scoring: bytes = b""
    absorbed: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One signal on its way to a story: its place in the source, its time there, and the signal as it was read."""

    offset: Offset
    at_ms: int
    signal: Signal


class Activity(msgspec.Struct, frozen=True, gc=False):
    """All new signals of one story that one source had for one flush; or, without a story, a bare mark.

    A record has one of them or, in an array, all that a source had for the stories of one partition.

    ``low``: every offset of the source below it has been sent, to whichever story it belonged. ``redirected``: not so
    of these entries, which may have been sent to a story before it was known to be merged into this one.

    ``leaving`` and ``joining``: the one goes to the partition of the story that is gone, the other to that of the story
    it was merged into. What the score stage sends itself has no mark: a ``transfer``, or entries of ``source`` that
    came to a story that was gone.
    """

    mark: Mark | None
    low: Offset = 0
    story: StoryInfo | None = None
    entries: tuple[Entry, ...] = ()
    redirected: bool = False
    leaving: Merging | None = None
    joining: Merging | None = None
    transfer: Transfer | None = None
    source: Offset = 0


class RawEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An :class:`Entry` being written: the signal is passed on as the bytes it came in."""

    offset: int
    at_ms: int
    signal: msgspec.Raw


class RawActivity(msgspec.Struct, frozen=True, gc=False):
    """An :class:`Activity` being written."""

    mark: Mark
    low: int
    story: StoryInfo
    entries: list[RawEntry]
    redirected: bool = False


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A new root post that may found or join a story of each of ``beats``; or, without a post, a bare mark."""

    mark: Mark
    beats: tuple[str, ...] = ()
    at_ms: int = 0
    signal: Signal | None = None


class Assignment(msgspec.Struct, frozen=True):
    """A story that a thread belongs to, and how the matcher came to it.

    ``features`` is what the matcher's index keeps of the post.
    """

    story: str
    beat: str
    stage: str
    features: msgspec.Raw = msgspec.Raw(b"null")


class Merge(msgspec.Struct, frozen=True, array_like=True):
    """Two stories that turned out to be one: ``gone`` is part of ``into`` from now on."""

    gone: str
    into: str


class Moved(msgspec.Struct, frozen=True):
    """A thread that an operator has given to a story: a record of ``stories`` with the key ``m:thread``.

    ``into``: where it belongs after ``at_ms``, instead of the story of the same beat.
    """

    thread: str
    into: str
    at_ms: int


class Order(msgspec.Struct, frozen=True):
    """What an operator has ordered: a record of ``stories`` with the key ``o:kind:subject``; a later one replaces it.

    ``merge`` the story ``subject`` into the story ``into``; ``pin`` the thread ``subject`` to the story ``into``, which
    is ``found`` for that if need be; ``rename`` the story ``subject`` to ``title``; ``block`` the story ``subject``.
    ``given_ms``: when that was. ``features``: of the root post of a thread that was known then; see :class:`Lesson`.
    """

    kind: Literal["merge", "pin", "rename", "block"]
    subject: str
    into: str = ""
    title: str = ""
    found: StoryInfo | None = None
    given_ms: int = 0
    features: msgspec.Raw = msgspec.Raw(b"null")


class Lesson(msgspec.Struct, frozen=True):
    """What the matcher of a beat learns from an order: the post of ``features`` belongs to ``into``, not to ``story``.

    ``story``: empty if it was in no story of the beat.
    """

    features: msgspec.Raw
    into: StoryInfo
    story: str = ""


class ThreadRecord(msgspec.Struct, frozen=True):
    """What was decided of a thread: a record of ``stories`` with the key ``t:thread``.

    ``sequence`` counts the decisions. No ``assignments``: the thread belongs to no story. ``merged``: the stories that
    turned out to be one by it. ``title``: the headline of its root post. ``lessons``: what was learnt with it.
    """

    thread: str
    sequence: int
    at_ms: int
    assignments: tuple[Assignment, ...]
    merged: tuple[Merge, ...] = ()
    title: str = ""
    lessons: tuple[Lesson, ...] = ()


class Reached(msgspec.Struct, frozen=True):
    """How far the one who decides has come: every candidate up to ``mark_ms`` is decided, in records before this."""

    mark_ms: int


class Progress(msgspec.Struct, frozen=True):
    """How far a stage has come: a record of the compacted topic ``progress`` with the key ``stage/instance``.

    ``offsets``: for a publisher, per partition of ``signals``, the offset after the last record it has published up to
    ``mark_ms``. ``heard``: the publishers that a source reckons with. ``low`` and ``low_ms``: the first offset of a
    source that is not wholly handed out, and the time there; ``committed`` and ``committed_ms`` the same of the last
    offset that was committed, since one who dies may not have committed what he told. ``settled``: the last replay that
    is wholly scored.
    ``counts``: what became of the records of a source, whoever read them, by outcome: "read" is the sum of all others.
    Those that are read again after a change of hands count again.
    """

    stage: str
    instance: str
    mark_ms: int
    updated_ms: int
    active: bool = True
    heard: tuple[str, ...] = ()
    settled: str = ""
    offsets: dict[int, int] = {}
    counts: dict[str, int] = {}
    low: int = 0
    low_ms: int = 0
    committed: int = 0
    committed_ms: int = 0


encode = msgspec.json.Encoder().encode
_decode_activities = msgspec.json.Decoder(Activity | tuple[Activity, ...]).decode
decode_candidate = msgspec.json.Decoder(Candidate).decode
decode_thread = msgspec.json.Decoder(ThreadRecord).decode
decode_story = msgspec.json.Decoder(StoryInfo).decode
decode_reached = msgspec.json.Decoder(Reached).decode
decode_moved = msgspec.json.Decoder(Moved).decode
decode_order = msgspec.json.Decoder(Order).decode
decode_progress = msgspec.json.Decoder(Progress).decode


def decode_activities(record: bytes) -> tuple[Activity, ...]:
    """Decode a record of ``story-activity``: what it says of each story, in order."""
    activities = _decode_activities(record)
    return (activities,) if isinstance(activities, Activity) else activities
