"""How loud a story is: factors, composite, decay, bands, lifecycle and spikes, as pure functions and values.

No I/O, no clock, no Kafka; imports nothing else of Hubbub's.
"""

from scoring.assessment import Assessment, Assessor, Category
from scoring.band import Band, band
from scoring.composite import Factors, compose, raw
from scoring.decay import decay
from scoring.ledger import CorruptLedgerError, Ledger
from scoring.observation import UNREAD, Reading, Sentiment, Signal
from scoring.score import Inputs, PlatformTally, Score, Top, Window, score
from scoring.settings import DEFAULT, Settings, Tier, Weights

__all__ = [
    "DEFAULT",
    "UNREAD",
    "Assessment",
    "Assessor",
    "Band",
    "Category",
    "CorruptLedgerError",
    "Factors",
    "Inputs",
    "Ledger",
    "PlatformTally",
    "Reading",
    "Score",
    "Sentiment",
    "Settings",
    "Signal",
    "Tier",
    "Top",
    "Weights",
    "Window",
    "band",
    "compose",
    "decay",
    "raw",
    "score",
]
