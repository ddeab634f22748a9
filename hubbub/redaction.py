"""Redaction: what keeps secrets out of the text that a process shows.

Owns how a secret may be spelled. Must never know where the text goes.
"""

import re
from collections.abc import Iterable
from typing import Final

SECRET_CHARS: Final = 4
"""Shorter secrets are not hidden: they would blank out half of every line, and give themselves away by that."""


class Redaction:
    """Replaces each of ``secrets`` by ``***``: as it is, and as ``repr`` shows it in text and in bytes."""

    def __init__(self, secrets: Iterable[str]) -> None:
        shown = {secret for secret in secrets if len(secret) >= SECRET_CHARS}
        spellings = {form for s in shown for form in (s, repr(s)[1:-1], repr(s.encode())[2:-1])}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return self._found.sub("***", text)
