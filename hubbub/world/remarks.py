"""Remarks: what people reply, and in which mood.

Owns the choice of a reply's words (``words/remarks.toml``): praise, blame, or neither. Must never know who replies, or
when.
"""

import random

from hubbub.world.words import read_toml

HOSTILE_SHARE = 0.004
"""The probability that a reply is a hostile text."""


_REMARKS = read_toml("remarks.toml", dict[str, tuple[str, ...]])
_KINDS = {1: "praise", -1: "blame", 0: "neither"}


def remark(rng: random.Random, about: str, praise: float, blame: float) -> tuple[str, int]:
    """Return a reply's text and its mood: 1 with probability ``praise``, -1 with ``blame``, else 0."""
    draw = rng.random()
    if draw < HOSTILE_SHARE:
        return rng.choice(_REMARKS["hostile"]), 0
    mood = 1 if draw < praise else -1 if draw < praise + blame else 0
    return rng.choice(_REMARKS[_KINDS[mood]]).format(about=about) + rng.choice(_REMARKS["endings"]), mood
