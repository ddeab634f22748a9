"""The offline assessor: lexicon and prototypes, weighed.

Owns how the two kinds of evidence make an impact and a category. Must never use the network: words are embedded by the
small model in the WordLlama wheel, or by a function that the caller passes.
"""

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

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns one row for each text. Rows of similar texts point the same way; their length does not matter."""

TEXTS = 5
"""Texts read of a story, the loudest. Each counts half as much as the one before."""
MAX_CHARS = 300
REMEMBERED_TEXTS = 4_096
"""Texts whose result is kept: as a story grows, its loudest texts change places more often than words."""
REMEMBERED_WORDS = 50_000

TEMPERATURE = 0.05
"""How sharply near prototypes outweigh far ones, as a difference of cosines."""
BASE, PER_LEXICON_POINT, PER_PROTOTYPE_POINT, PER_CHAR = 3.0, 0.6, 0.5, 0.1
"""From a ridge regression over the headlines it was developed on. Longer headlines have more consequence."""
LONG_CHARS = 120
PROTOTYPE_VOTES = 3.0
"""The weight of all prototypes together for the category, in units of the lexicon's weights."""
UNKNOWN_VOTES = 1.5
"""The weight of ``other`` for a text in which no term is found."""


class OfflineAssessor:
    """Assesses a story by its titles. Mostly for English: a text in another language is near the middle of the scale.

    Kernel regression (Nadaraya, 1964) over prototype headlines, plus a lexicon. It does not forecast; it tells a law or
    a lay-off apart from a question about graphics cards.
    """

    def __init__(self, embed: Embed | None = None, lexicon: Lexicon | None = None) -> None:
        """``embed``: None for the model in the WordLlama wheel, which takes about a second to load."""
        self._embed = embed or word_vectors()
        self._lexicon = lexicon or Lexicon.default()
        rows = [line.split("\t") for line in _prototypes().splitlines()]
        self._names: tuple[Category, ...] = get_args(Category)
        self._places = {name: place for place, name in enumerate(self._names)}
        # One row per prototype: 1, its impact, and 1 in the column of its category.
        self._said = np.array(
            [[1.0, float(impact), *(float(category == name) for name in self._names)] for impact, category, _ in rows]
        )
        prototypes = np.asarray(self._embed([text for _, _, text in rows]), dtype=np.float64)
        lengths = np.linalg.norm(prototypes, axis=1, keepdims=True)
        self._prototypes = prototypes / np.where(lengths == 0, 1, lengths)
        self._read = lru_cache(maxsize=REMEMBERED_TEXTS)(self._read_text)

    def assess(self, texts: Sequence[str], at_ms: int) -> Assessment:
        """Return the assessment of a story with these ``texts``, the loudest first; without texts 50 and ``other``."""
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
        """Return the impact of one text, 0 to 100, and the weight of each category."""
        # One text at a time: in a batch, the last digit of a row may depend on the other texts.
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
    """Return the model in the WordLlama wheel: the row of a text is the sum of those of its tokens."""
    import wordllama  # noqa: PLC0415 - takes a second, and many callers pass their own `embed`

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    tokenizer, vectors = model.tokenizer, model.embedding
    tokenizer.no_padding()

    def numbers(text: str) -> bytes:
        return np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.uint16).tobytes()

    known = LookupCache(numbers, capacity=REMEMBERED_WORDS)

    def tokens(text: str) -> bytes:
        words = text.split(" ")
        # No token spans two words, so words are looked up one by one, except for runs of spaces (\u2581) and <s>.
        whole = "" in words or "\u2581" in text or "<" in text
        return numbers(text) if whole else b"".join(map(known.__getitem__, words))

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        # The model's own `embed` pads and pools a batch, which takes twice as long for one text.
        return np.array([vectors.take(np.frombuffer(tokens(text), np.uint16), axis=0).sum(axis=0) for text in texts])

    return embed
