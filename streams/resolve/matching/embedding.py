"""Words as vectors: the embedding model, read from an installed wheel, never from the network.

Owns loading the model, the vector of a text, and how usual a word is in general language. Must never know about posts
or stories.

The model is *static*: each token has one vector in every context, and a text is the sum of its tokens. So a text costs
a few microseconds. Tokens are numbered by their frequency in text of many languages. That gives the expected share of
posts with each word.
"""

import logging
import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
Tokens = bytes
"""The number and weight of each token of a text: its meaning, in a tenth of the space of its vector."""
STEM_CHARS = 7
"""Words are compared by their first characters, which suits most inflecting languages (McNamee and Mayfield, 2004)."""
MAX_CACHED_WORDS = 200_000
"""Bounds the cache of tokens by word, to about 20 MB; it holds the words of several days."""
FULL_LENGTH = 20.0
"""Bounds the length of a word's vector: a longer one comes from a long word or a typing error."""
FIRST_WORD = 259
"""The first token that is a word; those before it are bytes and control tokens."""
WORD_START = "\u2581"
MOST_USUAL = 0.06
RARE = 0.0003
NUMBER, SHORT_NUMBER = 0.002, 0.01
"""Expected shares of posts: the most usual word, an unknown word, a number, and one of at most two digits."""

_token = np.dtype([("number", np.uint16), ("weight", np.float32)])


def stem(word: str) -> str:
    """Return the stem by which ``word`` is compared."""
    return word[:STEM_CHARS]


class Embedding:
    """The 256-dimensional model that the wheel ``wordllama`` carries (MIT), with its 32 000 tokens of Llama 2.

    https://github.com/dleemiller/WordLlama
    """

    def __init__(self) -> None:
        level, handlers = logging.root.level, list(logging.root.handlers)
        import wordllama  # noqa: PLC0415  (takes 0.3 s and changes the root logger, which is restored)

        logging.root.setLevel(level)
        logging.root.handlers[:] = handlers
        model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
        self._tokenize = model.tokenizer.model.tokenize
        self._raw: Vector = model.embedding
        self._tokens: Vector = self._raw - _mean(self._raw)
        self._vocabulary: dict[str, int] = model.tokenizer.get_vocab()
        self._words: dict[str, Tokens] = {}
        self._shares: dict[str, float] = {}
        for token, number in self._vocabulary.items():
            if token.startswith(WORD_START) and number >= FIRST_WORD:
                known = stem(token[1:].lower())
                # Zipf's law; the constant fits news, tweets and front pages in English.
                share = min(MOST_USUAL, max(RARE, 6 / (number - 200)))
                self._shares[known] = max(share, self._shares.get(known, 0.0))

    @property
    def dimensions(self) -> int:
        """The length of its vectors."""
        return int(self._tokens.shape[1])

    def tokens(self, words: Iterable[str]) -> Tokens:
        """Return the tokens of ``words``."""
        known = self._words
        return b"".join([known[word] if word in known else self._learn(word) for word in words])

    def vector(self, tokens: Tokens) -> Vector:
        """Return the joint vector of ``tokens``, of length 1; zeros if they have no meaning."""
        if not tokens:
            return np.zeros(self.dimensions, np.float32)
        weighed = np.frombuffer(tokens, _token)
        total: Vector = weighed["weight"].copy() @ self._tokens.take(weighed["number"], axis=0)
        length = math.sqrt(total @ total)
        return total / np.float32(length) if length > 0 else total

    def usual(self, stem: str) -> float:
        """Return the expected share of posts with a word of this stem, above 0, at most 0.06."""
        share = self._shares.get(stem)
        if share is None or stem.isdigit():
            share = RARE if stem.isalpha() else SHORT_NUMBER if len(stem) < 3 else NUMBER
        return share

    def _learn(self, word: str) -> Tokens:
        if len(self._words) >= MAX_CACHED_WORDS:
            self._words.clear()
        whole = self._vocabulary.get(WORD_START + word)
        numbers = [whole] if whole else [token.id for token in self._tokenize(WORD_START + word)]
        total = self._raw[numbers].sum(axis=0)
        length = math.sqrt(total @ total)
        weighed = np.empty(len(numbers), _token)
        weighed["number"] = numbers
        weighed["weight"] = min(1.0, FULL_LENGTH / length) if length > 0 else 0.0
        known = self._words[word] = weighed.tobytes()
        return known


def _mean(vectors: Vector) -> Vector:
    """Return the mean vector of running text: tokens run from frequent to rare, so Zipf's law gives their shares."""
    shares = 1 / (np.arange(len(vectors), dtype=np.float64) + 50)
    shares[:FIRST_WORD] = 0
    mean: Vector = (shares / shares.sum() @ vectors).astype(np.float32)
    return mean


@cache
def load_embedding() -> Embedding:
    """Return the model, loaded once in a process."""
    return Embedding()
