"""The records of the topic ``story-activity``: what happens to the stories of one partition.

Owns the kinds of activity and how they are read. A record has one activity or, in an array, all that a source has for
the stories of one partition at one flush. Earlier versions wrote one form with all fields and no ``type``. Their
records are read here, and they read ours, so workers of both versions may run side by side.
"""

import msgspec
from msgspec import field

from ingest.signal import Signal
from streams.records.source_watermark import Offset, SourceWatermark
from streams.records.stories import StoryInfo


class Merging(msgspec.Struct, frozen=True, gc=False):
    """A merge on its way to the two stories: all of ``gone`` up to ``at_ms`` becomes part of ``into``, or of nothing.

    Merges are ordered by (``at_ms``, ``sequence`` of the decision behind it, ``number`` within that decision). They
    come after everything else of the time ``at_ms``.
    """

    at_ms: int
    sequence: int
    number: int
    gone: StoryInfo
    into: StoryInfo


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """What one story hands to the other: its encoded scoring state, empty if there is none (any more).

    ``absorbed``: the stories that were merged into it before.
    """

    merging: Merging
    scoring: bytes = b""
    absorbed: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One signal on its way to a story: its offset in the source, its time there, and the signal as it was read."""

    offset: Offset
    at_ms: int
    signal: Signal


class RawEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An :class:`Entry` to be written: the signal is passed on as the bytes it came in."""

    offset: int
    at_ms: int
    signal: msgspec.Raw


class WatermarkAdvance(msgspec.Struct, frozen=True, gc=False, tag="mark"):
    """A source has come further; there may be nothing new in it for the stories here."""

    mark: SourceWatermark


class StorySignals(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="signals"):
    """New signals that one source has for one story.

    ``low``: every offset of the source below it has been sent, to whichever story it belonged. ``redirected``: the
    entries may have been sent before, to a story not yet known to be merged into this one. ``low`` then says nothing of
    them.
    """

    mark: SourceWatermark
    low: Offset
    story: StoryInfo
    entries: tuple[Entry, ...]
    redirected: bool = False


class RawStorySignals(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="signals"):
    """A :class:`StorySignals` to be written."""

    mark: SourceWatermark
    low: int
    story: StoryInfo
    entries: list[RawEntry]
    redirected: bool = False


class MergeOut(msgspec.Struct, frozen=True, gc=False, tag="merge_out"):
    """A story of this partition ends: it is merged into another."""

    mark: SourceWatermark
    merging: Merging = field(name="leaving")


class MergeIn(msgspec.Struct, frozen=True, gc=False, tag="merge_in"):
    """Another story is merged into one of this partition, which waits for the transfer."""

    mark: SourceWatermark
    merging: Merging = field(name="joining")


class TransferArrival(msgspec.Struct, frozen=True, gc=False, tag="transfer"):
    """The transfer of a merge, from one scorer to another. ``mark`` is null: earlier versions require the field."""

    transfer: Transfer
    mark: None = None

    @property
    def merging(self) -> Merging:
        """The merge that the transfer belongs to."""
        return self.transfer.merging


class ForwardedSignals(msgspec.Struct, frozen=True, gc=False, tag="forwarded"):
    """Signals of ``source`` that came to a story that had been merged into this one, from one scorer to another."""

    story: StoryInfo
    entries: tuple[Entry, ...]
    source: Offset
    mark: None = None


Activity = WatermarkAdvance | StorySignals | MergeOut | MergeIn | TransferArrival | ForwardedSignals


_decode = msgspec.json.Decoder(Activity | tuple[Activity, ...]).decode
_FIELDS = {"transfer": "transfer", "leaving": "merge_out", "joining": "merge_in"}


def _tagged(activity: dict[str, object]) -> dict[str, object]:
    """Return an activity as earlier versions wrote it, with the tag of its kind."""
    kinds = [tag for field, tag in _FIELDS.items() if activity.get(field) is not None]
    if activity.get("story") is not None:
        kinds.append("signals" if activity["mark"] is not None else "forwarded")
    return {"type": kinds[0] if kinds else "mark", **activity}


def decode_activities(record: bytes) -> tuple[Activity, ...]:
    """Decode a record: its activities, in order.

    Raises:
        msgspec.DecodeError: it is not a record of this topic.
    """
    if record.startswith((b'{"mark"', b'[{"mark"')):
        decoded = msgspec.json.decode(record)
        untagged = decoded if isinstance(decoded, list) else [decoded]
        return msgspec.convert([_tagged(one) for one in untagged], tuple[Activity, ...])
    activities = _decode(record)
    return activities if isinstance(activities, tuple) else (activities,)
