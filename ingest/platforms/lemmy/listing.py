"""One listing of one instance: how far it was read, and reading it back to there.

Owns the numbers of the items it showed last. Must never know what a view means, nor what becomes of it.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from ingest.memory.seen import Seen
from ingest.platforms.lemmy import views
from ingest.platforms.lemmy.instance import PAGE_ITEMS, Kind, LemmyInstance, Sort, View

MAX_SEEN: Final = 4 * PAGE_ITEMS
"""Items of a listing that are remembered: more than a full scan reads, since items come late and out of order."""


class Reading(NamedTuple):
    """Views, oldest first, those that were shown before included. ``gap``: items were certainly missed."""

    shown: list[View]
    gap: bool

    @property
    def oldest_ms(self) -> float:
        """When the oldest item was created, without those out of order; infinity if there is none."""
        in_order = (raw for raw, witnessed_ms in self.shown if not views.stands_out(raw, witnessed_ms))
        return min(map(views.created_ms, in_order), default=math.inf)


class Listing:
    """A listing of ``instance``, of all communities or of one, newest first (or as ``sort`` says)."""

    def __init__(self, instance: LemmyInstance, kind: Kind, sort: Sort, community: str | None) -> None:
        self.instance = instance
        self.kind = kind
        self.sort = sort
        self.community = community
        self._seen = Seen(MAX_SEEN)

    @property
    def name(self) -> str:
        """The listing's name in the schedule and in the cursor."""
        return " ".join(filter(None, (self.instance.host, self.kind, self.sort, self.community)))

    @property
    def seen(self) -> list[str]:
        """The numbers of the items it showed last, oldest first."""
        return list(self._seen)

    def restore(self, seen: Iterable[str]) -> None:
        """Count items as shown whose numbers were saved."""
        for number in seen:
            self._seen.add(number)

    def is_new(self, view: View) -> bool:
        """Return whether the listing has not shown this item before."""
        return views.key(view.raw) not in self._seen

    def remember(self, reading: Reading) -> None:
        """Count what was read as shown. Call it when nothing can fail any more."""
        for view in reading.shown:
            self._seen.add(views.key(view.raw))

    async def read(self, max_pages: int, since_ms: float, *, whole: bool = False) -> Reading:
        """Read back to an item that was shown before; what is from before ``since_ms`` is left out.

        A listing moves on while its pages are read, so an item may be on two of them. Posts that stand at its top
        whatever their age, pinned or dated ahead, say nothing about how far it was read. There is a gap if
        ``max_pages`` end before a known item or the end.
        ``whole``: a full scan, which reads on past known items.

        Raises:
            CollectError: a page cannot be had now.
        """
        shown: dict[str, View] = {}
        page: str | None = None
        met = whole or not len(self._seen)
        for _ in range(max_pages):
            found = await self.instance.listing(self.kind, self.sort, self.community, page)
            recent = [view for view in found.views if views.created_ms(view) >= since_ms]
            in_order = (view for view in found.views if not views.stands_out(view, found.witnessed_ms))
            known = any(views.key(view) in self._seen for view in in_order)
            before = len(shown)
            for view in recent:
                shown.setdefault(views.key(view), View(view, found.witnessed_ms))
            page = found.next_page
            if page is None or len(shown) == before or (known and not whole):
                met = True
                break
        return Reading(list(reversed(shown.values())), gap=not met)
