"""Loud: the few signals of a story that a person is shown.

Owns which signals are kept with their words, and how long those words may be. Must never know how they are displayed.

Kept are the items with the highest peak of interactions in any one observation, with the words of that observation: a
maximum again, so order and repetition do not matter.
"""

from __future__ import annotations

import msgspec

from scoring.item import Item, peak
from scoring.observation import Signal

__all__ = ["KEPT", "Loud", "keep_loudest", "loud", "shorten"]

KEPT = 6
"""One more than are shown, since counts may fall."""
MAX_ID_BYTES = 512
MAX_PLATFORM_BYTES = 64
MAX_TITLE_BYTES = 400
MAX_PERMALINK_BYTES = 500


class Loud(msgspec.Struct, array_like=True, gc=False, order=True, frozen=True):
    """A signal worth showing; ordered by its peak. Texts are a stranger's: escape them wherever they are shown."""

    peak: int
    key: int
    observed_ms: int
    id: str
    platform: str
    title: str
    permalink: str


def loud(signal: Signal, item: Item) -> Loud:
    """Return what is kept of ``signal``: its title, or the beginning of its text; a link that is too long is not."""
    permalink = signal.permalink or ""
    return Loud(
        peak(item),
        item.key,
        signal.observed_ms,
        shorten(signal.id, MAX_ID_BYTES),
        shorten(signal.platform, MAX_PLATFORM_BYTES),
        shorten(signal.title or signal.text or "", MAX_TITLE_BYTES),
        shorten(permalink, MAX_PERMALINK_BYTES) if len(permalink) <= MAX_PERMALINK_BYTES else "",
    )


def keep_loudest(kept: dict[int, Loud], new: Loud) -> None:
    """Add ``new`` to ``kept`` (by key), in place, if it is among the loudest."""
    old = kept.get(new.key)
    if old is None or new > old:
        kept[new.key] = new
        if len(kept) > KEPT:
            del kept[min(kept.values()).key]


def shorten(text: str, max_bytes: int) -> str:
    """Return the beginning of ``text`` as something that UTF-8 carries in ``max_bytes`` at most."""
    if len(text) <= max_bytes and text.isascii():
        return text
    return text[:max_bytes].encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")
