"""The record of the topic ``candidates``: a new root post on its way to the decider.

Owns its form.
"""

import msgspec

from ingest.signal import Signal
from streams.records.source_watermark import SourceWatermark


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A new root post that may join or create a story in each of ``beats``. Without a post: a watermark alone."""

    mark: SourceWatermark
    beats: tuple[str, ...] = ()
    at_ms: int = 0
    signal: Signal | None = None


class RawCandidate(msgspec.Struct, frozen=True, gc=False):
    """A :class:`Candidate` to be written: the post is passed on as the bytes it came in."""

    mark: SourceWatermark
    beats: tuple[str, ...]
    at_ms: int
    signal: msgspec.Raw


decode_candidate = msgspec.json.Decoder(Candidate).decode
