"""What the score stage remembers: the states of a partition's stories, and where to read on, in one log.

Owns the form of the topic's records. Each partition of it belongs to one partition of ``story-activity``, and is
written by that partition's owner alone. States stand behind the offset that was confirmed before they were written: all
of ``story-activity`` below it is in the states before. So whoever has read the log up to any point has states and an
offset that fit each other, and reads again, at worst, what the states know to be applied. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from transport.fencing import FENCING_KEY

__all__ = ["TOPIC", "CorruptOffsetError", "RestoredPartition", "records"]

TOPIC = "hubbub-score-ledgers-changelog"
OFFSET_KEY = b"offset"
"""No story's: their ids begin with ``st_``."""


class CorruptOffsetError(ValueError):
    """The offset in the changelog is no number: our own data is damaged, or from a later version."""


class _Record(Protocol):
    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...


@dataclass(slots=True)
class RestoredPartition:
    """A partition as its log tells it: encoded states by story, and the offset to read on from; None: from the first.

    ``topic_ids``: the incarnations that the offset and the states belong to, as :func:`records` was given them; none
    if an earlier version wrote the offset. To be told every record, from the first on.
    """

    states: dict[bytes, bytes] = field(default_factory=dict)
    offset: int | None = None
    topic_ids: Sequence[str] = ()

    def apply(self, record: _Record) -> None:
        """Take in the next record.

        Raises:
            CorruptOffsetError: it says where to read on, but not in a form known here.
        """
        if record.key is None or record.key == FENCING_KEY:
            pass  # it is there to be acknowledged
        elif record.key == OFFSET_KEY:
            offset, *topic_ids = (record.value or b"").split(b" ")
            if not offset.isdigit():
                raise CorruptOffsetError(f"the changelog says to read on from {record.value!r}, which is no offset")
            self.offset = int(offset)
            self.topic_ids = [topic_id.decode(errors="replace") for topic_id in topic_ids]
        elif record.value is None:
            self.states.pop(record.key, None)
        else:
            self.states[record.key] = record.value


def records(
    states: Mapping[str, bytes | None], applied: int, topic_ids: Sequence[str] = ()
) -> Iterable[tuple[bytes, bytes | None]]:
    """Yield what to write, in this order: that everything below ``applied`` is confirmed, and states from after that.

    ``states``: by story; None: it is gone. ``topic_ids``: of the topics to which the offset, and the offsets in the
    states, belong.
    """
    yield OFFSET_KEY, " ".join([str(applied), *topic_ids]).encode()
    for story, state in states.items():
        yield story.encode(), state
