"""The changelog of the score stage: the states of a partition's stories, and the offset to resume at, in one log.

Owns the form of the topic's records. Each partition belongs to one partition of ``story-activity``, and only the owner
of that writes it. An offset is written before the states that follow it: everything of ``story-activity`` below the
offset is in the states before it. A reader that stops at any record has states and an offset that fit each other. At
worst it reads again what the states know to be applied. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streams.records.skipped import SKIPPED_KEY
from transport.errors import DefectError
from transport.fencing import FENCING_KEY

TOPIC = "hubbub-score-ledgers-changelog"
OFFSET_KEY = b"offset"
"""Never the key of a story: their ids begin with ``st_``."""


class CorruptOffsetError(DefectError, ValueError):
    """The offset in the changelog is not a number: the changelog is damaged, or from a later version."""


@dataclass(slots=True)
class RestoredPartition:
    """A partition as its log describes it: encoded states by story, and the offset to resume at; None: the first.

    ``topic_ids``: the incarnations that the offset and the states belong to, as :func:`records` was given them; none
    if an earlier version wrote the offset. ``skipped``: keys of skipped records. Apply every record, from the first.
    """

    states: dict[bytes, bytes] = field(default_factory=dict)
    offset: int | None = None
    topic_ids: Sequence[str] = ()
    skipped: set[bytes] = field(default_factory=set)

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Apply the next record.

        Raises:
            CorruptOffsetError: it is an offset, but not in a form known here.
        """
        if key is None or key == FENCING_KEY:
            pass
        elif key == OFFSET_KEY:
            offset, *topic_ids = (value or b"").split(b" ")
            if not offset.isdigit():
                raise CorruptOffsetError(f"the changelog says to resume at {value!r}, which is no offset")
            self.offset = int(offset)
            self.topic_ids = [topic_id.decode(errors="replace") for topic_id in topic_ids]
        elif key.startswith(SKIPPED_KEY):
            self.skipped.add(key)
        elif value is None:
            self.states.pop(key, None)
        else:
            self.states[key] = value


def records(
    states: Mapping[str, bytes | None], applied: int, topic_ids: Sequence[str] = ()
) -> Iterable[tuple[bytes, bytes | None]]:
    """Yield what to write, in this order: that everything below ``applied`` is in the states before, then states.

    ``states``: by story; None: deleted. ``topic_ids``: of the topics to which the offset, and the offsets in the
    states, belong.
    """
    yield OFFSET_KEY, " ".join([str(applied), *topic_ids]).encode()
    for story, state in states.items():
        yield story.encode(), state
