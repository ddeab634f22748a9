"""Assessment: what a story is about and how large its consequences are.

Owns the shape of an assessor's answer. Must never know how the answer is computed.
"""

from typing import Literal

import msgspec

Category = Literal[
    "labor", "safety", "privacy", "copyright", "policy", "business", "product", "research", "security", "other"
]


class Assessment(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """An assessor's answer; a later one is larger. ``impact``: the consequence for the industry, 0 to 100.

    ``basis``: a hash of what was read and by which assessor, which shows when to ask again; 0: unknown.
    """

    assessed_ms: int
    impact: float
    category: Category
    basis: int = 0
