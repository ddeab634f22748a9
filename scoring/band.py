"""Band: the word for a noise.

Owns the five words and where each begins. Must never know how a noise is computed.
"""

from bisect import bisect_right
from typing import Literal

Band = Literal["whisper", "murmur", "buzz", "clamor", "uproar"]

BANDS: dict[Band, float] = {"whisper": 0.0, "murmur": 20.0, "buzz": 40.0, "clamor": 60.0, "uproar": 75.0}
"""The noise at which each band begins, from quiet to loud."""

_NAMES = tuple(BANDS)
_BEGINS_AT = tuple(BANDS.values())[1:]


def band(noise: float) -> Band:
    """Return the band of ``noise`` (0 to 100): whisper < 20 ≤ murmur < 40 ≤ buzz < 60 ≤ clamor < 75 ≤ uproar.

    >>> band(39.4515)
    'murmur'
    >>> band(40), band(100)
    ('buzz', 'uproar')
    """
    return _NAMES[bisect_right(_BEGINS_AT, noise)]
