"""What an operator has ordered of stories, and what of it is due.

Owns when an order is carried out: with the next decision on a new post once all that it speaks of is there, so that it
has a place in the one order of decisions, and so that an order kept in the log is carried out again in a replay. Pure.
Must never know who gave it, nor how.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from streams.records.stories import NOWHERE, Merge, Moved, OperatorCommand, StoryInfo, ThreadRecord
from streams.resolve.threads import ThreadIndex

__all__ = ["Due", "Orders"]


@dataclass(slots=True)
class Due:
    """What a decision carries out: stories ``founded`` and ``merged``, titles (``named``), and threads ``moved``.

    ``pinned``: the orders that have moved them.
    """

    founded: list[StoryInfo] = field(default_factory=list)
    named: list[tuple[str, str]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    pinned: list[OperatorCommand] = field(default_factory=list)
    merged: list[Merge] = field(default_factory=list)


class Orders:
    """Orders against the stories there are. Told of every decision, in their order."""

    def __init__(self, threads: ThreadIndex) -> None:
        """``threads``: holds the orders, too; kept by the caller."""
        self._threads = threads
        self._stories: set[str] = set()
        self._became: dict[str, str] = {}
        self._expired: set[str] = set()
        self._done: dict[tuple[str, str], OperatorCommand] = {}

    def now(self, story: str) -> str:
        """Return what ``story`` has become by merges: itself, another, or nowhere."""
        while story in self._became:
            story = self._became[story]
        return story

    def is_named(self, story: str) -> bool:
        """Say whether an operator has said what ``story`` is called."""
        return any(order.kind == "rename" and order.subject == story for order in self._threads.orders.values())

    def note(self, record: ThreadRecord) -> None:
        """Take in a decision that was made before."""
        self._stories.update(assignment.story for assignment in record.assignments)
        for merge in record.merged:
            self._became[merge.gone] = merge.into

    def learnt(self, gone: str) -> None:
        """Take in that the matcher has no story ``gone`` any more, but gives its posts to what it was merged into."""
        self._expired.add(gone)

    def forget(self, expired: list[str]) -> tuple[str, ...]:
        """Return which stories end because the matcher has forgotten ``expired``.

        One that others were merged into by order ends with the last of them that the matcher still gives posts.
        """
        self._expired.update(expired)
        gone: list[str] = []
        for story in dict.fromkeys(self.now(story) for story in expired):
            parts = [order.subject for order in self._threads.orders.values() if self.now(order.subject) == story]
            if story != NOWHERE and self._expired.issuperset({story, *parts} & self._stories):
                gone.append(story)
        if gone:
            ended = set(gone)
            over = {one for one in self._stories | self._became.keys() if self.now(one) in ended}
            self._stories -= over
            self._expired -= over
            self._became = {one: into for one, into in self._became.items() if one not in over}
        return tuple(gone)

    def merge(self, gone: str, into: str) -> list[Merge]:
        """Return what is to be merged, as things are by now, so that what ``gone`` was is part of ``into``."""
        gone, into = self.now(gone), self.now(into)
        if gone in {into, NOWHERE}:
            return []
        self._became[gone] = into
        return [Merge(gone, into)]

    def due(self, thread: str, at_ms: int, founded: list[StoryInfo]) -> Due:
        """Return what is due with the decision on ``thread`` at ``at_ms``, which has ``founded`` stories."""
        self._stories.update(info.id for info in founded)
        due = Due()
        for order in self._threads.orders.values():
            if self._done.get((order.kind, order.subject)) == order:
                continue
            if self._carry_out(order, thread, at_ms, due):
                self._done[order.kind, order.subject] = order
        titles = dict(due.named)
        due.founded = [replace(info, title=titles.pop(info.id, info.title)) for info in (*founded, *due.founded)]
        due.named = list(titles.items())
        return due

    def _carry_out(self, order: OperatorCommand, thread: str, at_ms: int, due: Due) -> bool:
        """Add to ``due`` what ``order`` demands; return False if what it speaks of is not there yet."""
        if order.kind == "pin":
            return self._pin(order, thread, at_ms, due)
        if order.subject not in self._stories:
            return False
        if order.kind == "rename":
            due.named.append((order.subject, order.title))
        elif order.kind == "block":
            due.merged += self.merge(order.subject, NOWHERE)
        elif order.into in self._stories:
            due.merged += self.merge(order.subject, order.into)
        else:
            return False
        return True

    def _pin(self, order: OperatorCommand, thread: str, at_ms: int, due: Due) -> bool:
        is_new = order.subject == thread
        if not is_new and self._threads.lookup(order.subject) is None:
            return False
        moved = self._threads.moved.get(order.subject)
        if moved is not None and moved.into == order.into:
            self._stories.add(order.into)
            return True
        if order.into not in self._stories:
            if order.found is None:
                return False
            due.founded.append(order.found)
            self._stories.add(order.into)
        due.moved.append(Moved(order.subject, order.into, 0 if is_new else at_ms))
        due.pinned.append(order)
        return True
