"""The offline assessor: a linear model of a headline's terms, form and meaning.

Owns how the evidence makes an impact and a category. Must never use the network: words are embedded by the small model
in the WordLlama wheel, or by a function that the caller passes.
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
from scoring.impact.form import FORMS, read_form
from scoring.impact.lexicon import Lexicon

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns a row of ``DIMENSIONS`` for each text. Rows of similar texts point the same way; length is ignored."""

DIMENSIONS = 256
TEXTS = 5
"""Texts read of a story, the loudest. Each counts half as much as the one before."""
MAX_CHARS = 300
REMEMBERED_TEXTS = 4_096
"""Texts whose result is kept: as a story grows, its loudest texts change places more often than words."""
REMEMBERED_WORDS = 50_000
MEANING = 1.0
"""The length of a text's row beside its terms and form; longer, the few headlines learnt from are learnt by heart."""
ROOT_IMPACT = "root of impact"
"""The column of ``weights.tsv`` for the square root of the impact: differences among small impacts count for more."""


class Evidence:
    """What a headline is judged by, as numbers: its terms, its form, its meaning, and 1.

    >>> flat = Evidence(lambda texts: np.zeros((len(texts), DIMENSIONS), np.float32))
    >>> len(flat.read("Bank lays off 2,000 employees")) == len(flat.names)
    True
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._lexicon = Lexicon.default()
        meaning = (f"meaning {place}" for place in range(DIMENSIONS))
        self.names = (*self._lexicon.groups, *FORMS, *meaning, "always")

    def read(self, text: str) -> NDArray[np.float64]:
        """Return one number for each of ``names``."""
        text = text[:MAX_CHARS]
        # One text at a time: in a batch, the last digit of a row may depend on the other texts.
        row = np.asarray(self._embed([text])[0], dtype=np.float64)
        row *= MEANING / (math.sqrt(row @ row) or 1.0)
        return np.concatenate((self._lexicon.read(text), read_form(text), row, (1.0,)))


class OfflineAssessor:
    """Assesses a story by its titles. For English: of a text in another language it sees little but the form.

    It does not forecast; it tells a law or a lay-off apart from a question about graphics cards. The weights are learnt
    by ``tests/scoring/learn_impact.py``.
    """

    def __init__(self, embed: Embed | None = None) -> None:
        """``embed``: None for the model in the WordLlama wheel, which takes about a second to load."""
        self._evidence = Evidence(embed or word_vectors())
        self._names: tuple[Category, ...] = get_args(Category)
        self._weights = _weights(self._evidence.names, (*self._names, ROOT_IMPACT))
        self._read = lru_cache(maxsize=REMEMBERED_TEXTS)(self._read_text)

    def assess(self, texts: Sequence[str], at_ms: int) -> Assessment:
        """Return the assessment of a story with these ``texts``, the loudest first; without texts 50 and ``other``."""
        read = [text[:MAX_CHARS] for text in texts if text.strip()][:TEXTS]
        if not read:
            return Assessment(at_ms, 50.0, "other")
        shares = [0.5**rank for rank in range(len(read))]
        *votes, impact = (
            sum(share * value for share, value in zip(shares, values, strict=True))
            for values in zip(*map(self._read, read), strict=True)
        )
        return Assessment(at_ms, impact / sum(shares), self._names[votes.index(max(votes))])

    def _read_text(self, text: str) -> tuple[float, ...]:
        """Return the log-odds of each category for one text, up to a constant, and then its impact, 0 to 100."""
        *votes, root = (self._evidence.read(text) @ self._weights).tolist()
        return (*votes, min(100.0, max(0.0, root) ** 2))


def _weights(evidence: Sequence[str], judged: Sequence[str]) -> NDArray[np.float64]:
    """Return the learnt weights: a row for each number of evidence, a column for each number that is judged."""
    header, *rows = files(__package__).joinpath("weights.tsv").read_text(encoding="utf-8").splitlines()
    table = {name: weights for name, *weights in (row.split("\t") for row in rows)}
    if header.split("\t")[1:] != list(judged) or table.keys() != set(evidence):
        raise ValueError("weights.tsv is of another lexicon: run python -m tests.scoring.learn_impact")
    return np.array([[float(weight) for weight in table[name]] for name in evidence])


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
