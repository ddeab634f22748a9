"""Remarks: what people reply, and in which mood.

Owns the choice of a reply's words (``words/remarks.toml``): praise, blame, or neither. Must never know who replies, or
when.
"""

from __future__ import annotations

import random

import msgspec

from hubbub.world.words import read_toml

__all__ = ["remark"]

HOSTILE_SHARE = 0.004
"""The probability that a reply is a hostile text."""


class _Remarks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    praise: tuple[str, ...]
    blame: tuple[str, ...]
    neither: tuple[str, ...]
    hostile: tuple[str, ...]
    endings: tuple[str, ...]


_REMARKS = read_toml("remarks.toml", _Remarks)
_BY_MOOD = {1: _REMARKS.praise, -1: _REMARKS.blame, 0: _REMARKS.neither}


def remark(rng: random.Random, about: str, praise: float, blame: float) -> tuple[str, int]:
    """Return a reply's text and its mood: 1 with probability ``praise``, -1 with ``blame``, else 0."""
    draw = rng.random()
    if draw < HOSTILE_SHARE:
        return rng.choice(_REMARKS.hostile), 0
    mood = 1 if draw < praise else -1 if draw < praise + blame else 0
    return rng.choice(_BY_MOOD[mood]).format(about=about) + rng.choice(_REMARKS.endings), mood
