"""Text as a vector: the embedding model, read from an installed wheel, never from the network.

Owns loading the model and adding up its token vectors. Must never know about posts or stories.

The model is *static*: each token has one vector, whatever stands around it, and a text is the sum of its tokens. So a
text costs a few microseconds, and the length of a word's vector tells how much the word says ("the" 1.6, "police" 15).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Embedding", "Vector", "WordLlamaEmbedding", "load_embedding"]

Vector = npt.NDArray[np.float32]
MAX_CACHED_WORDS = 200_000


class Embedding(Protocol):
    """A model that turns words into vectors that can be added up."""

    @property
    def dimensions(self) -> int:
        """The length of its vectors."""
        ...

    def vector(self, words: Sequence[str]) -> Vector:
        """Return the sum of the vectors of ``words``; zeros if there are none."""
        ...

    def weight(self, word: str) -> float:
        """Return how much ``word`` says: the length of its vector."""
        ...


class WordLlamaEmbedding:
    """The 256-dimensional model that the wheel ``wordllama`` carries (MIT), with its 32 000 tokens of Llama 2.

    https://github.com/dleemiller/WordLlama
    """

    def __init__(self) -> None:
        level = logging.root.level
        handlers = list(logging.root.handlers)
        import wordllama  # noqa: PLC0415  (0.3 s, and it sets up the root logger: only when it is needed, and undone)

        logging.root.setLevel(level)
        logging.root.handlers[:] = handlers
        model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
        self._tokenizer = model.tokenizer
        self._tokenizer.no_padding()
        self._tokens: npt.NDArray[np.float32] = model.embedding
        self._ids: dict[str, list[int]] = {}

    @property
    def dimensions(self) -> int:
        """The length of its vectors."""
        return int(self._tokens.shape[1])

    def vector(self, words: Sequence[str]) -> Vector:
        """Return the sum of the vectors of ``words``; zeros if there are none."""
        ids = [token for word in words for token in self._tokens_of(word)]
        total: Vector = self._tokens[ids].sum(axis=0) if ids else np.zeros(self.dimensions, np.float32)
        return total

    def weight(self, word: str) -> float:
        """Return how much ``word`` says: the length of its vector."""
        return float(np.linalg.norm(self.vector((word,))))

    def _tokens_of(self, word: str) -> list[int]:
        ids = self._ids.get(word)
        if ids is None:
            if len(self._ids) >= MAX_CACHED_WORDS:
                self._ids.clear()
            ids = self._ids[word] = self._tokenizer.encode(word, add_special_tokens=False).ids
        return ids


@cache
def load_embedding(model: str) -> Embedding:
    """Return the model called ``model``, loaded once in a process.

    Raises:
        ValueError: no such model.
    """
    if model == "wordllama":
        return WordLlamaEmbedding()
    raise ValueError(f"no embedding model is called {model!r}; there is: wordllama")
