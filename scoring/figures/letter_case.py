"""Letter case: what the capital letters of a line tell.

Owns sentences, title case and capitals throughout. Must never know what a name is.
"""

from __future__ import annotations

import re
from functools import cached_property

MAX_CHARS = 200
"""How much of a line counts on each side of a phrase: few headlines are longer."""

_WORD = re.compile(r"[^\W\d_]{4,}")
"""Title case begins these words with a capital letter, but few of the shorter ones."""
_OPENING = " \t\"'\u201c\u2018\u201e\u00ab([*#@"
"""What may stand before any word, the first of a sentence or not."""
_INSIDE = ",'\u201d\")%&$+"
"""What may stand between two words of one sentence, besides letters and digits."""


class Line:
    """The line around a phrase of a text, which has spaces for hyphens.

    >>> line = Line("The cursor moves on. Cursor sells", 21, 27)
    >>> line.begins_sentence(21), line.begins_sentence(4), line.is_sentence, line.is_all_capitals
    (True, False, True, False)
    """

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._begin = max(text.rfind("\n", 0, start) + 1, start - MAX_CHARS)
        self._before = text[self._begin : start].lstrip()
        self._after = text[end : end + MAX_CHARS].partition("\n")[0]

    @cached_property
    def is_all_capitals(self) -> bool:
        """Whether the rest of the line has letters in capitals, and no others."""
        return f"{self._before} {self._after}".isupper()

    @cached_property
    def is_sentence(self) -> bool:
        """Whether names alone have capital letters, as far as the other words show: it is not in title case."""
        words = [*_WORD.findall(self._before), *_WORD.findall(self._after)]
        if _WORD.match(self._before):
            del words[0]  # the first word of a line always has a capital letter
        small = sum(1 for word in words if word[0].islower())
        return small > 0 and sum(1 for word in words if word[0].isupper()) <= 2 * small

    def begins_sentence(self, start: int) -> bool:
        """Return whether a word of the line, at ``start`` of the text, is the first of a sentence."""
        before = self._text[self._begin : start].rstrip(_OPENING)
        return not before or not (before[-1].isalnum() or before[-1] in _INSIDE)
