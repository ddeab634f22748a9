"""What scoring wants to know of a signal's text: the public figures involved, and how a reply feels about it.

Owns the loading of what reading needs (the registry of figures) and which signals are worth reading. How figures are
matched and feelings judged is scoring's.
"""

from __future__ import annotations

from ingest.signal import Signal
from scoring import UNREAD, Reading

__all__ = ["TextReader"]


class TextReader:
    """Reads signals for the ledger."""

    def __call__(self, signal: Signal) -> Reading:
        """Return what the text of ``signal`` says."""
        del signal
        return UNREAD
