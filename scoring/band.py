"""Band: the word for a noise.

Owns the five words and where each begins. Must never know how a noise comes about.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

__all__ = ["Band", "band"]

Band = Literal["whisper", "murmur", "buzz", "clamor", "uproar"]

_BANDS: tuple[Band, ...] = ("whisper", "murmur", "buzz", "clamor", "uproar")
_BEGINS_AT = (20.0, 40.0, 60.0, 75.0)


def band(noise: float) -> Band:
    """Return the band of ``noise`` (0 to 100): whisper < 20 ≤ murmur < 40 ≤ buzz < 60 ≤ clamor < 75 ≤ uproar.

    >>> band(39.4515)
    'murmur'
    >>> band(40), band(100)
    ('buzz', 'uproar')
    """
    return _BANDS[bisect_right(_BEGINS_AT, noise)]
