"""Sample: the items of a story that are kept one by one, at most ``MAX_ITEMS``.

Owns which items are kept and how many replies of each thread are among them. Must never know what is summed over them.

Up to ``MAX_ITEMS`` the sample is the whole story. Past that it is a priority sample (:mod:`scoring.ledger.priority`).
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

import msgspec

from scoring.ledger.item import REPLY, Item, weight
from scoring.ledger.priority import priority
from scoring.ledger.voices import COPIES, NO_COPIES, Copies, find_copies

MAX_ITEMS = 192
"""Items kept one by one: what fits in a ledger of 64 KiB beside the sketches."""


class Sample:
    """The kept items, by key.

    ``threshold``: an item with a lower priority is not kept; 0 while all items are.
    ``said``: how many items have each text.
    ``replies_seen``: how many replies of a thread are kept, by the key of the thread's root.
    ``changed``: keys of the items that came, went or changed since the caller last cleared it; None: not recorded.
    """

    __slots__ = ("_copied", "_copies", "_ranking", "changed", "items", "replies_seen", "said", "threshold")

    def __init__(self, items: Iterable[Item] = (), threshold: float = 0.0) -> None:
        """Hold ``items``; the priority of each is above ``threshold``."""
        self.items = {item.key: item for item in items}
        self.replies_seen: dict[int, int] = {}
        self.said: dict[int, int] = {}
        self._copied = 0
        """How many texts are copied."""
        self._copies: Copies | None = NO_COPIES
        """None: to be found again."""
        self.threshold = threshold
        self.changed: set[int] | None = None
        self._ranking: list[tuple[float, int]] = []
        """A heap of the kept items by (priority, key), with stale entries; empty until the first item is dropped."""
        for item in self.items.values():
            if item.kind == REPLY:
                self.replies_seen[item.thread] = self.replies_seen.get(item.thread, 0) + 1
            if item.text:
                self._say(item.text, 1)

    def add(self, item: Item) -> None:
        """Take in one observation. The caller calls :meth:`drop_least` when there are too many items."""
        key = item.key
        old = self.items.get(key)
        if old is None:
            if not self.threshold or self._is_sampled(item):
                self.keep(item)
            return
        covered_ms, made_ms = min(old.covered_ms, item.covered_ms), min(old.made_ms, item.made_ms)
        if item.replaces(old):
            item.cover(covered_ms, made_ms)
            self._remove(key)
            if self._is_sampled(item):
                self.keep(item)
        else:
            self.cover(old, covered_ms, made_ms)

    def cover(self, item: Item, covered_ms: int, made_ms: int) -> None:
        """Set when a kept item was covered, given when it was made itself."""
        if covered_ms != item.covered_ms or made_ms != item.made_ms:
            moved = self.items[item.key] = msgspec.structs.replace(item)  # who holds sums over the old one needs it
            moved.cover(covered_ms, made_ms)
            if self.changed is not None:
                self.changed.add(item.key)

    def drop_least(self) -> None:
        """Drop the item with the lowest priority and raise the threshold to it.

        The caller does so at once: where counts fall, a delay would make the sample depend on when it happens.
        """
        ranking = self._ranking
        if not ranking:
            ranking += [(priority(weight(item), key), key) for key, item in self.items.items()]
            heapify(ranking)
        while True:
            least, key = heappop(ranking)
            item = self.items.get(key)
            if item is not None and priority(weight(item), key) == least:
                break
        self.threshold = max(self.threshold, least)
        self._remove(key)

    def raise_threshold(self, threshold: float) -> None:
        """Drop all items with a priority of at most ``threshold``; do nothing if the threshold is higher already."""
        self.threshold = max(self.threshold, threshold)
        for key in [key for key, item in self.items.items() if not self._is_sampled(item)]:
            self._remove(key)

    def _is_sampled(self, item: Item) -> bool:
        return not self.threshold or priority(weight(item), item.key) > self.threshold

    def keep(self, item: Item) -> None:
        """Keep an item that is not kept yet."""
        key = item.key
        self.items[key] = item
        if len(self._ranking) > 4 * MAX_ITEMS:
            self._ranking.clear()  # mostly stale by now; rebuilt when the next item is dropped
        elif self._ranking:
            heappush(self._ranking, (priority(weight(item), key), key))
        if self.changed is not None:
            self.changed.add(key)
        if item.text:
            self._say(item.text, 1)
        if item.kind == REPLY:
            thread = item.thread
            seen = self.replies_seen.get(thread, 0)
            self.replies_seen[thread] = seen + 1
            if self.changed is not None:
                self._recount(thread, seen, self.changed)

    def _remove(self, key: int) -> None:
        """Remove an item that is dropped or replaced."""
        item = self.items.pop(key)
        if self.changed is not None:
            self.changed.add(key)
        if item.text:
            self._say(item.text, -1)
        if item.kind == REPLY:
            thread = item.thread
            seen = self.replies_seen.pop(thread)
            if seen > 1:
                self.replies_seen[thread] = seen - 1
            if self.changed is not None:
                self._recount(thread, seen, self.changed)

    @property
    def copies(self) -> Copies:
        """The copies among the items."""
        if self._copies is None:
            self._copies = find_copies(self.items, self.said)
        return self._copies

    def _say(self, text: int, more: int) -> None:
        """Count one item ``more`` (or one less: -1) with ``text``."""
        before = self.said.get(text, 0)
        number = self.said[text] = before + more
        self._copied += (number > COPIES) - (before > COPIES)
        if self._copied or before > COPIES:
            self._copies = None
        if not number:
            del self.said[text]

    def _recount(self, thread: int, seen: int, changed: set[int]) -> None:
        """Record the post of ``thread`` as changed if its counter says no more than the ``seen`` replies."""
        post = self.items.get(thread)
        if post is not None and post.replies <= seen:
            changed.add(thread)
