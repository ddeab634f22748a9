"""The offline assessor: lexicon and prototypes, weighed.

Owns how the two kinds of evidence make an impact and a category. Must never reach for a network: words are embedded by
a small model that lies in a wheel (WordLlama), or by whatever function it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from scoring.assessment import Assessment, Category
from scoring.cache import LookupCache
from scoring.impact.lexicon import Lexicon

__all__ = ["Embed", "OfflineAssessor", "word_vectors"]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns one row for each text; rows of like texts point the same way. Their length does not matter."""

TEXTS = 5
"""Read of a story: the loudest. The first counts most, each further one half as much as the one before."""
MAX_CHARS = 300
REMEMBERED_TEXTS = 4_096
"""Readings kept: as a story grows its loudest texts change places far more often than words."""
REMEMBERED_WORDS = 50_000

TEMPERATURE = 0.05
"""How sharply near prototypes outweigh far ones, in cosines."""
BASE, PER_LEXICON_POINT, PER_PROTOTYPE_POINT, PER_CHAR = 3.0, 0.6, 0.5, 0.1
"""From a ridge regression over the headlines the parts were tried on. What has consequence takes longer to say."""
LONG_CHARS = 120
PROTOTYPE_VOTES = 3.0
"""What all prototypes together weigh for the category, in the lexicon's weights."""


UNKNOWN_VOTES = 1.5
"""For ``other``, of a text in which no term at all is found."""


class OfflineAssessor:
    """Assesses a story by its titles. English, mostly: a text in another language is near the middle of the scale.

    Kernel regression (Nadaraya, 1964) over prototype headlines, plus a lexicon. Not a forecast: it tells a law or a
    lay-off from a question about graphics cards.
    """

    def __init__(self, embed: Embed | None = None, lexicon: Lexicon | None = None) -> None:
        """``embed``: None for the model of the WordLlama wheel, loaded here (about a second)."""
        self._embed = embed or word_vectors()
        self._lexicon = lexicon or Lexicon.default()
        rows = [line.split("\t") for line in _prototypes().splitlines()]
        self._names: tuple[Category, ...] = get_args(Category)
        self._places = {name: place for place, name in enumerate(self._names)}
        # What each prototype says: that it is one, its impact, and 1 for its category.
        self._said = np.array(
            [[1.0, float(impact), *(float(category == name) for name in self._names)] for impact, category, _ in rows]
        )
        prototypes = np.asarray(self._embed([text for _, _, text in rows]), dtype=np.float64)
        lengths = np.linalg.norm(prototypes, axis=1, keepdims=True)
        self._prototypes = prototypes / np.where(lengths == 0, 1, lengths)
        self._read = lru_cache(maxsize=REMEMBERED_TEXTS)(self._read_text)

    def assess(self, texts: Sequence[str], at_ms: int) -> Assessment:
        """Return the assessment of a story whose signals say ``texts``, the loudest first; none: 50 and ``other``."""
        read = [text[:MAX_CHARS] for text in texts if text.strip()][:TEXTS]
        if not read:
            return Assessment(at_ms, 50.0, "other")
        impact = total = 0.0
        votes = [0.0] * len(self._names)
        for rank, text in enumerate(read):
            share = 0.5**rank
            points, for_category = self._read(text)
            impact += share * points
            total += share
            votes = [sum_ + share * vote for sum_, vote in zip(votes, for_category, strict=True)]
        category = self._names[votes.index(max(votes))]
        return Assessment(at_ms, impact / total, category)

    def _read_text(self, text: str) -> tuple[float, tuple[float, ...]]:
        """Return the impact of one text, 0 to 100, and what it says for each category."""
        # Alone: rows of a batch may differ in the last digit by what else is in it.
        row = np.asarray(self._embed([text])[0], dtype=np.float64)
        length = math.sqrt(row @ row) or 1.0
        nearness = np.exp(self._prototypes @ row / (length * TEMPERATURE))
        near, prototype_points, *nearby = (nearness @ self._said).tolist()
        found = self._lexicon.read(text)
        points = PER_LEXICON_POINT * found.impact + PER_PROTOTYPE_POINT * prototype_points / near
        points += BASE + PER_CHAR * min(len(text), LONG_CHARS)
        votes = [PROTOTYPE_VOTES * of_category / near for of_category in nearby]
        for name, weight in found.categories.items():
            votes[self._places[name]] += weight
        if not found.categories:
            votes[-1] += UNKNOWN_VOTES
        return min(100.0, max(0.0, points)), tuple(votes)


def _prototypes() -> str:
    return files(__package__).joinpath("prototypes.tsv").read_text(encoding="utf-8")


@cache
def word_vectors() -> Embed:
    """Return the model of the WordLlama wheel: a text is the sum of its tokens."""
    import wordllama  # noqa: PLC0415 - a second, for those who ask for it

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    tokenizer, vectors = model.tokenizer, model.embedding
    tokenizer.no_padding()

    def numbers(text: str) -> bytes:
        return np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.uint16).tobytes()

    known = LookupCache(numbers, capacity=REMEMBERED_WORDS)

    def tokens(text: str) -> bytes:
        words = text.split(" ")
        # No token is of two words, so they are looked up, but for runs of spaces, which stand as \u2581, and for <s>.
        whole = "" in words or "\u2581" in text or "<" in text
        return numbers(text) if whole else b"".join(map(known.__getitem__, words))

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        # The model's own `embed` pads and pools a batch, which takes one text twice as long.
        return np.array([vectors.take(np.frombuffer(tokens(text), np.uint16), axis=0).sum(axis=0) for text in texts])

    return embed
