"""Top candidates: the few signals of a story that may be shown to a person.

Owns which signals are kept with their words, and how long those words may be. Must never know how they are displayed.

Kept are the items with the highest peak of interactions in any one observation, with the words of that observation. A
maximum does not depend on order or repetition.
"""

import msgspec

from scoring.ledger.item import Item, peak
from scoring.ledger.text import shorten
from scoring.observation import Signal

MAX_CANDIDATES = 6
"""One more than are shown, since counts may fall."""
MAX_ID_BYTES = 512
MAX_PLATFORM_BYTES = 32
MAX_TITLE_BYTES = 320
MAX_PERMALINK_BYTES = 300


class TopCandidate(msgspec.Struct, array_like=True, gc=False, order=True, frozen=True):
    """A signal worth showing, ordered by ``peak``: the interactions in one observation.

    ``id``, ``title`` and ``permalink`` are untrusted: escape them wherever they are shown.
    """

    peak: int
    key: int
    observed_ms: int
    id: str
    platform: str
    title: str
    permalink: str


def top_candidate(signal: Signal, item: Item) -> TopCandidate:
    """Return what is kept of ``signal``: its title or else its text, shortened. A link that is too long is dropped."""
    permalink = signal.permalink or ""
    return TopCandidate(
        peak(item),
        item.key,
        signal.observed_ms,
        shorten(signal.id, MAX_ID_BYTES),
        shorten(signal.platform, MAX_PLATFORM_BYTES),
        shorten(signal.title or signal.text or "", MAX_TITLE_BYTES),
        shorten(permalink, MAX_PERMALINK_BYTES) if len(permalink) <= MAX_PERMALINK_BYTES else "",
    )


def keep_highest(kept: dict[int, TopCandidate], new: TopCandidate) -> None:
    """Add ``new`` to ``kept`` (by key), in place, if its peak is among the highest."""
    old = kept.get(new.key)
    if old is None or new > old:
        kept[new.key] = new
        if len(kept) > MAX_CANDIDATES:
            del kept[min(kept.values()).key]
