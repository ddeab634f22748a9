"""Sayings: what an author says in a story, and when it was said first.

Owns what a repeat is: an item in which its author gives a text or a link again. It is no new coverage. Must never know
of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct

from scoring.ledger.item import Item
from scoring.ledger.wording import DOMAIN

MAX_SAYINGS = 240
"""Sayings remembered of a sketched ledger: a sample by hash, so that it is the same in any order."""
_saying = Struct("<II")


def sayings(item: Item) -> tuple[int, ...]:
    """Return a number for each thing that ``item``'s author says in it: its text and its link; none if unknown.

    The numbers are evenly spread, since an author's is.
    """
    author, text, link = item.author, item.text, item.link
    if not author:
        return ()
    if text:
        return (author ^ text << 32, author ^ link) if link > DOMAIN else (author ^ text << 32,)
    return (author ^ link,) if link > DOMAIN else ()


def first_said(items: Iterable[Item]) -> dict[int, int]:
    """Return when each thing that ``items`` say was said first, UTC epoch ms."""
    first: dict[int, int] = {}
    for item in items:
        made_ms = item.made_ms
        for saying in sayings(item):
            first[saying] = min(made_ms, first.get(saying, made_ms))
    return first


def first_ms(first: Mapping[int, int], item: Item) -> int:
    """Return when ``item`` was covered: when its author first said any of it. ``first``: as of :func:`first_said`."""
    return min([item.made_ms, *[first[saying] for saying in sayings(item) if saying in first]])


def say(first: dict[int, int], item: Item) -> bool:
    """Add ``item`` to ``first``, in place, and set when it was covered.

    Return whether something was said earlier than was known: then other items may be repeats of this one.
    """
    said_ms = made_ms = item.made_ms
    is_earlier = False
    for saying in sayings(item):
        known_ms = first.get(saying)
        if known_ms is None:
            first[saying] = made_ms
        elif known_ms < made_ms:
            said_ms = min(said_ms, known_ms)
        elif known_ms > made_ms:
            first[saying] = made_ms
            is_earlier = True
    if said_ms < made_ms:
        item.cover(said_ms, made_ms)
    return is_earlier


class SayingSample:
    """When some of a story's sayings were said first: of those with the smallest numbers.

    Order and repetition do not matter. A saying's number has 32 bits here: a voice has as many of its person's. Times
    are whole seconds, so that twice as many fit.
    """

    __slots__ = ("_limit", "first_s")

    def __init__(self) -> None:
        self.first_s: dict[int, int] = {}
        """Seconds since the epoch, by the saying's number."""
        self._limit = 1 << 32

    def add(self, item: Item) -> bool:
        """Take in what ``item`` says; return whether it is known that its author said any of it before."""
        made_s, is_repeat = item.made_ms // 1000, False
        for saying in sayings(item):
            number = saying >> 32
            is_repeat |= self.first_s.get(number, made_s) < made_s
            self._learn(number, made_s)
        return is_repeat

    def merge(self, other: SayingSample) -> None:
        """Take in all that ``other`` knows."""
        for number, said_s in other.first_s.items():
            self._learn(number, said_s)

    def said_before(self, person: int, text: int, at_ms: int) -> bool:
        """Return whether it is known that a ``person`` (the upper 32 bits of its number) said ``text`` before."""
        return self.first_s.get(person ^ text, at_ms) * 1000 < at_ms

    def encode(self) -> bytes:
        """Return the sample as bytes, 8 for each saying."""
        return b"".join([_saying.pack(number, said_s) for number, said_s in self.first_s.items()])

    @classmethod
    def decode(cls, encoded: bytes) -> SayingSample:
        """Return the sample that was encoded."""
        sample = cls()
        sample.first_s = dict(_saying.iter_unpack(encoded))
        return sample

    def _learn(self, number: int, said_s: int) -> None:
        first_s = self.first_s
        known_s = first_s.get(number)
        if known_s is not None:
            first_s[number] = min(known_s, said_s)
        elif len(first_s) < MAX_SAYINGS:
            first_s[number] = said_s
        elif number < self._limit:
            first_s[number] = said_s
            del first_s[max(first_s)]
            self._limit = max(first_s)
