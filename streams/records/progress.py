"""The records of the compacted topic ``progress``: how far each stage has come.

Owns one form for each stage; ``stage`` names it. The key of a record is ``stage/instance``.
"""

import msgspec


class _Progress(msgspec.Struct, frozen=True, tag_field="stage"):
    """``mark_ms``: the event time reached. ``updated_ms``: when the record was written, by the clock."""

    instance: str
    mark_ms: int
    updated_ms: int


class PublishProgress(_Progress, frozen=True, tag="publish"):
    """A publisher of recorded signals; ``instance`` names the replay.

    ``active``: it has not ended. ``offsets``: for each partition of ``signals``, the offset after the last record that
    it has published up to ``mark_ms``.
    """

    active: bool = True
    offsets: dict[int, int] = {}


class ResolveProgress(_Progress, frozen=True, tag="resolve"):
    """The reader of one source; ``instance`` is the number of the source.

    ``heard``: the publishers that the reader takes into account. ``offsets``: of the source, the offset after the last
    record read. ``counts``: what became of the records, by outcome; "read" is the sum of all others. Records that are
    read again after a rebalance count again. ``low`` and ``low_ms``: the first offset of the source that is not
    completely sent, and the time there. ``committed`` and ``committed_ms``: the same of the last committed offset,
    since a worker that dies may not have committed what it reported. ``topic_id``: of the incarnation of ``signals``
    to which the offsets belong, a space, and the one of ``stories``; "" on brokers that give topics no ids.
    """

    heard: tuple[str, ...] = ()
    offsets: dict[int, int] = {}
    counts: dict[str, int] = {}
    low: int = 0
    low_ms: int = 0
    committed: int = 0
    committed_ms: int = 0
    topic_id: str = ""


class ScoreProgress(_Progress, frozen=True, tag="score"):
    """The scorer of one partition of ``story-activity``; ``instance`` is its number.

    ``settled``: the last replay that is completely scored.
    """

    settled: str = ""


Progress = PublishProgress | ResolveProgress | ScoreProgress
decode_progress = msgspec.json.Decoder(Progress).decode
