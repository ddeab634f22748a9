"""What senders send into signals. Pure: no clock, no network, no memory.

Owns what a sent value may leave out, and the clamping of its times. The fields are those of a signal
(docs/reference/contracts.md). Must never know which senders may write which platform.

- ``observed_ms`` may be absent: the item was seen when it arrived. ``thread`` may be absent from a post;
- an item is never newer than its arrival: small differences of the clocks are clamped, larger ones are refused;
- of an item that was taken back, only the counts are kept.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ingest import signal
from ingest.batch import Signals, Unreadable, errors_to_dead_letters

__all__ = ["PLATFORM", "convert"]

PLATFORM: Final = "webhook"


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int) -> Signals:
    """Return what becomes of one sent item. ``raw``: the parsed JSON. ``witnessed_ms``: when it arrived."""
    if isinstance(raw, dict):
        raw = {"observed_ms": witnessed_ms, "thread": raw.get("id")} | raw
    try:
        # The readers' own decoder: what it accepts, they accept.
        sent = signal.decode(msgspec.json.encode(raw), witnessed_ms)
    except signal.InvalidSignalError as error:
        return Signals(unreadable=[Unreadable.of(raw, error.reason.value, error.detail)])
    changes: dict[str, object] = {
        "created_ms": min(sent.created_ms, witnessed_ms),
        "observed_ms": min(sent.observed_ms, witnessed_ms),
    }
    if sent.deleted:
        changes |= {"author": None, "title": None, "text": None, "url": None}
    return Signals([msgspec.structs.replace(sent, **changes)])
