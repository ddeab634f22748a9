"""Voices: how many people speak of a story, however often each of them does.

Owns what a voice is, and how many voices the copies of one text are. Must never know what is concluded from it.

An author is one voice in five minutes, with all items covered in them. An item of an unknown author is a voice of its
own. A text that more than ``COPIES`` items share is a copied text. The authors who say nothing else are its copiers.
They are ``COPIES`` voices for each such text in an hour, however many they are. An unknown author may say something
else, so it is no copier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from math import fsum
from struct import Struct
from typing import Final, NamedTuple

from scoring.ledger.item import Item, weight
from scoring.settings import MINUTE_MS

VOICE_MS: Final = 5 * MINUTE_MS
"""An author counts once in each such span of time. It shapes what a ledger stores, so it is not a setting."""
PER_HOUR: Final = 12
COPIES: Final = 2
"""With more voices than that saying the same, it takes only so many to account for all of them."""

Voice = int
"""A person (the upper bits), and the number of the five minutes: their beginning divided by their length (32 bits)."""
MAX_TEXT: Final = 1 << 32
"""Above the number of any text."""


def voice(item: Item) -> Voice:
    """Return the voice that says ``item``."""
    return (item.author or item.key) << 32 | item.covered_ms // VOICE_MS


def person_of(spoken: Voice) -> int:
    """Return whose voice it is."""
    return spoken >> 32


def number_of(spoken: Voice) -> int:
    """Return in which five minutes it speaks."""
    return spoken & MAX_TEXT - 1


class Copies(NamedTuple):
    """The copies in a story. ``copiers``: people who only say copied texts, each with one of them.

    ``dropped``: keys of their items, all but the ``COPIES`` loudest of each text, which are ``kept``.
    """

    copiers: Mapping[int, int]
    dropped: Set[int]
    kept: Set[int]


NO_COPIES = Copies({}, frozenset(), frozenset())


def find_copies(items: Mapping[int, Item], said: Mapping[int, int]) -> Copies:
    """Return the copies among ``items``; ``said``: how many items have each text."""
    copied = {text for text, number in said.items() if number > COPIES}
    copiers: dict[int, int] = {}
    others: set[int] = set()
    for item in items.values():
        text, author = item.text, item.author
        if text and author:
            if text not in copied:
                others.add(author)
            elif text < copiers.get(author, MAX_TEXT):
                copiers[author] = text
    for person in others & copiers.keys():
        del copiers[person]
    loud: dict[int, list[tuple[int, int]]] = {}
    for key, item in items.items():
        if item.text and item.author in copiers:
            loud.setdefault(item.text, []).append((weight(item), key))
    dropped: set[int] = set()
    kept: set[int] = set()
    for copies in loud.values():
        ranked = [key for _, key in sorted(copies)]
        dropped.update(ranked[:-COPIES])
        kept.update(ranked[-COPIES:])
    return Copies(copiers, dropped, kept)


def sampled_copiers(said: Mapping[Voice, int]) -> dict[int, int]:
    """Return the copiers among voices that say one text each; 0: unknown."""
    texts: dict[int, set[int]] = {}
    people: dict[int, set[int]] = {}
    for spoken, text in said.items():
        if text:
            person = person_of(spoken)
            texts.setdefault(person, set()).add(text)
            people.setdefault(text, set()).add(person)
    copied = {text for text, sharing in people.items() if len(sharing) > COPIES and text != SEVERAL}
    return {person: min(own) for person, own in texts.items() if own <= copied}


def heard(
    said: Iterable[Voice], copiers: Mapping[int, int], times: Callable[[int], float], number: int | None = None
) -> float:
    """Return how many people speak in ``said``; ``times``: how many voices each one of five minutes stands for.

    ``number``: count only those of these five minutes; what was copied before them is not counted again.
    """
    own: list[float] = []
    now: dict[int, list[float]] = {}
    before: dict[int, list[float]] = {}
    for spoken in said:
        at, text = number_of(spoken), copiers.get(person_of(spoken))
        if text is not None:
            (now if number is None or at == number else before).setdefault(text, []).append(times(at))
        elif number is None or at == number:
            own.append(times(at))
    left = {text: max(0.0, COPIES - fsum(before.get(text, ()))) for text in now}
    return fsum([*own, *(min(left[text], fsum(copies)) for text, copies in now.items())])


def people_by_five_minutes(said: Set[Voice], copiers: Mapping[int, int], numbers: range) -> list[int]:
    """Return how many people speak in each of these five minutes, given those of the hour up to their end."""
    if not copiers:
        counted = Counter(map(number_of, said))
        return [counted[number] for number in numbers]
    spoken: dict[int, list[Voice]] = {}
    for each in said:
        spoken.setdefault(number_of(each), []).append(each)
    return [
        round(heard([each for at in hour_to(number) for each in spoken.get(at, ())], copiers, _itself, number))
        if number in spoken
        else 0
        for number in numbers
    ]


def hour_to(number: int) -> range:
    """Return the numbers of the five minutes of an hour that ends with ``number``."""
    return range(number - PER_HOUR + 1, number + 1)


def _itself(_number: int) -> float:
    return 1.0


MAX_VOICES = 14
"""Voices kept of five minutes in a sketched ledger: fewer are counted exactly, more with an error of 29 %."""
SEVERAL: Final = 1
"""Stands for different texts."""
_BITS = 32
_voice = Struct("<II")


class VoiceSample:
    """The voices of five minutes: those with the smallest numbers, each with its text.

    Order and repetition do not matter.

    >>> sample = VoiceSample()
    >>> for person in range(1, 9): sample.add(person << 32, 0)
    >>> len(sample.said), sample.times
    (8, 1.0)
    """

    __slots__ = ("_limit", "said")

    def __init__(self) -> None:
        self.said: dict[int, int] = {}
        """By person: a text, 0 if it is unknown, or ``SEVERAL``."""
        self._limit = 1 << _BITS

    def add(self, person: int, text: int) -> None:
        """Count ``person`` (64 bits), who says ``text``."""
        self._keep(person >> 64 - _BITS, text)

    def merge(self, other: VoiceSample) -> None:
        """Count all voices of ``other``."""
        for person, text in other.said.items():
            self._keep(person, text)

    @property
    def times(self) -> float:
        """How many voices each of :meth:`sampled` stands for."""
        return 1.0 if len(self.said) < MAX_VOICES else 2.0**_BITS / max(self.said)

    def sampled(self) -> Iterable[tuple[int, int]]:
        """Return people and their texts. The largest of a full sample only tells how many the others stand for."""
        if len(self.said) < MAX_VOICES:
            return self.said.items()
        return sorted(self.said.items())[:-1]

    def encode(self) -> bytes:
        """Return the sample as bytes, 8 for each voice."""
        return b"".join([_voice.pack(person, text) for person, text in self.said.items()])

    @classmethod
    def decode(cls, encoded: bytes) -> VoiceSample:
        """Return the sample that was encoded."""
        sample = cls()
        for person, text in _voice.iter_unpack(encoded):
            sample._keep(person, text)
        return sample

    def _keep(self, person: int, text: int) -> None:
        said = self.said
        old = said.get(person)
        if old is not None:
            if text and text != old:
                said[person] = text if not old else SEVERAL
        elif len(said) < MAX_VOICES:
            said[person] = text
        elif person < self._limit:
            said[person] = text
            del said[max(said)]
            self._limit = max(said)
