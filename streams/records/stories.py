"""The records of the compacted topic ``stories``: what is remembered of threads and stories.

Owns the kinds of record, the key of each, and how each is read. The key names the kind. ``type`` names it too, except
in records of earlier versions.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import msgspec

THREAD_KEY = b"t:"
STORY_KEY = b"s:"
MOVED_KEY = b"m:"
ORDER_KEY = b"o:"
WITHDRAWN_KEY = b"w:"
DECIDED_KEY = b"decided"

NOWHERE = ""
"""The id of the story that a blocked story is merged into: there is none."""


class StoryInfo(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="story"):
    """What a story is called: key ``s:id``. ``id`` is derived from the beat and the first post, so a replay repeats it.

    ``into``: the story that it was merged into; what its threads say after ``merged_ms`` belongs there.
    ``forgotten_ms``: when it expired, having had no new post for too long; later signals are not used.
    """

    id: str
    slug: str
    title: str
    beat: str
    founded_ms: int
    into: str | None = None
    merged_ms: int = 0
    forgotten_ms: int = 0


class Assignment(msgspec.Struct, frozen=True):
    """A story that a thread belongs to, and the ``stage`` of the matcher that assigned it.

    ``features``: what the matcher's index keeps of the post.
    """

    story: str
    beat: str
    stage: str
    features: msgspec.Raw = msgspec.Raw(b"null")


class Merge(msgspec.Struct, frozen=True, array_like=True):
    """Two stories that are one: ``gone`` is part of ``into`` from now on."""

    gone: str
    into: str


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """A thread that an operator has assigned to a story: key ``m:thread``.

    ``into``: where it belongs after ``at_ms``, instead of the story of the same beat.
    """

    thread: str
    into: str
    at_ms: int


class OperatorCommand(msgspec.Struct, frozen=True, tag="order"):
    """What an operator has ordered: key ``o:kind:subject``. A later command replaces an earlier one.

    ``merge``: the story ``subject`` becomes part of the story ``into``. ``pin``: the thread ``subject`` belongs to the
    story ``into``, which is created as ``found`` if need be. ``rename``: the story ``subject`` is called ``title``.
    ``block``: the story ``subject`` ends.

    ``given_ms``: when it was given. ``features``: of the root post of a thread known by then; see :class:`Lesson`.
    """

    kind: Literal["merge", "pin", "rename", "block"]
    subject: str
    into: str = ""
    title: str = ""
    found: StoryInfo | None = None
    given_ms: int = 0
    features: msgspec.Raw = msgspec.Raw(b"null")


class Lesson(msgspec.Struct, frozen=True):
    """What a matcher learns from a command: the post of ``features`` belongs to ``into``, not to ``story``.

    ``story``: empty if the post was in no story of the beat.
    """

    features: msgspec.Raw
    into: StoryInfo
    story: str = ""


class ThreadRecord(msgspec.Struct, frozen=True, tag="thread"):
    """The decision on a thread: key ``t:thread``.

    ``sequence`` counts the decisions. No ``assignments``: the thread belongs to no story. ``merged``: the stories that
    it showed to be one. ``title``: the headline of the root post. ``lessons``: what matchers learnt with it.
    """

    thread: str
    sequence: int
    at_ms: int
    assignments: tuple[Assignment, ...]
    merged: tuple[Merge, ...] = ()
    title: str = ""
    lessons: tuple[Lesson, ...] = ()


class Withdrawn(msgspec.Struct, frozen=True, tag="withdrawn"):
    """A thread whose root post was taken back, as seen at ``at_ms``: key ``w:thread``.

    Its headline is no longer the title of a story. The decision on the thread stays.
    """

    thread: str
    at_ms: int
    assignments: ClassVar[tuple[Assignment, ...]] = ()
    merged: ClassVar[tuple[Merge, ...]] = ()


class Reached(msgspec.Struct, frozen=True, tag="decided"):
    """How far the decider has come: key ``decided``. Each candidate up to ``mark_ms`` is decided in a record before."""

    mark_ms: int


StoriesRecord = StoryInfo | ThreadRecord | Withdrawn | Moved | OperatorCommand | Reached
decode_thread = msgspec.json.Decoder(ThreadRecord).decode

_DECODERS: dict[bytes, Callable[[bytes], StoriesRecord]] = {
    THREAD_KEY: decode_thread,
    STORY_KEY: msgspec.json.Decoder(StoryInfo).decode,
    WITHDRAWN_KEY: msgspec.json.Decoder(Withdrawn).decode,
    MOVED_KEY: msgspec.json.Decoder(Moved).decode,
    ORDER_KEY: msgspec.json.Decoder(OperatorCommand).decode,
    DECIDED_KEY: msgspec.json.Decoder(Reached).decode,
}


def decode_stories(key: bytes, value: bytes) -> StoriesRecord | None:
    """Decode a record; None if its key is of no kind known here.

    Raises:
        msgspec.ValidationError: the record is not what its key says. The topic is corrupt.
    """
    decode = _DECODERS.get(key if key == DECIDED_KEY else key[:2])
    return None if decode is None else decode(value)
