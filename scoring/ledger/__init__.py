"""The ledger: what is remembered of a story for scoring it, in at most 64 KiB."""

from scoring.ledger.codec import CorruptLedgerError
from scoring.ledger.ledger import MAX_ENCODED_BYTES, MAX_FIGURES, MAX_PLATFORMS, Ledger
from scoring.ledger.sample import MAX_ITEMS

__all__ = ["MAX_ENCODED_BYTES", "MAX_FIGURES", "MAX_ITEMS", "MAX_PLATFORMS", "CorruptLedgerError", "Ledger"]
