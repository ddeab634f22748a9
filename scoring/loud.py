"""Loud: the few signals of a story that a person is shown.

Owns which signals are kept with their words, and how long those words may be. Must never know how they are displayed.

Kept are the items with the highest peak of interactions in any one observation, with the words of that observation: a
maximum again, so order and repetition do not matter.
"""

from __future__ import annotations

import msgspec

from scoring.factors.engagement import interactions
from scoring.item import Item
from scoring.observation import Signal

__all__ = ["KEPT", "Loud", "keep_loudest", "loud", "peak"]

KEPT = 8
"""More than are shown (5), since counts may fall."""
MAX_ID_CHARS = 512
MAX_PLATFORM_CHARS = 64
MAX_TITLE_CHARS = 200
MAX_PERMALINK_CHARS = 500


class Loud(msgspec.Struct, array_like=True, gc=False, order=True, frozen=True):
    """A signal worth showing; ordered by its peak. Texts are a stranger's: escape them wherever they are shown."""

    peak: int
    key: int
    observed_ms: int
    id: str
    platform: str
    title: str
    permalink: str


def peak(item: Item) -> int:
    """Return the interactions that one observation tells of, by the default weights: what decides who is kept."""
    return int(interactions(item.likes or 0, item.replies or 0, item.shares or 0))


def loud(signal: Signal, item: Item) -> Loud:
    """Return what is kept of ``signal``: its title, or the beginning of its text; a link that is too long is not."""
    permalink = signal.permalink or ""
    return Loud(
        peak(item),
        item.key,
        item.observed_ms,
        _clean(signal.id, MAX_ID_CHARS),
        _clean(signal.platform, MAX_PLATFORM_CHARS),
        _clean(signal.title or signal.text or "", MAX_TITLE_CHARS),
        _clean(permalink, MAX_PERMALINK_CHARS) if len(permalink) <= MAX_PERMALINK_CHARS else "",
    )


def keep_loudest(kept: dict[int, Loud], new: Loud) -> None:
    """Add ``new`` to ``kept`` (by key), in place, if it is among the loudest."""
    old = kept.get(new.key)
    if old is None or new > old:
        kept[new.key] = new
        if len(kept) > KEPT:
            del kept[min(kept.values()).key]


def _clean(text: str, max_chars: int) -> str:
    """Return the beginning of ``text`` as something that UTF-8 can carry."""
    return text[:max_chars].encode("utf-8", "replace").decode("utf-8")
