"""How loud a story is: factors, composite, decay, bands, lifecycle and spikes, as pure functions and values.

No I/O, no clock, no Kafka. Must never import another package of Hubbub.
"""

from scoring import lifecycle, spike
from scoring.assessment import Assessment, Category
from scoring.band import Band, band
from scoring.composite import Factors, compose, raw
from scoring.decay import decay
from scoring.figures import FigureFileError, FigureIndex
from scoring.ledger import CorruptLedgerError, Ledger
from scoring.ledger.evidence import Evidence, EvidenceSet
from scoring.lifecycle import Lifecycle, Measures, State, Transition
from scoring.makeup import Makeup, makeup
from scoring.observation import UNREAD, Reading, Sentiment
from scoring.score import Score, measure, score
from scoring.sentiment import sentiment
from scoring.settings import DEFAULT, Settings, Tier
from scoring.spike import Spike, SpikeChange
from scoring.story_state import StoryState

__all__ = [
    "DEFAULT",
    "UNREAD",
    "Assessment",
    "Band",
    "Category",
    "CorruptLedgerError",
    "Evidence",
    "EvidenceSet",
    "Factors",
    "FigureFileError",
    "FigureIndex",
    "Ledger",
    "Lifecycle",
    "Makeup",
    "Measures",
    "Reading",
    "Score",
    "Sentiment",
    "Settings",
    "Spike",
    "SpikeChange",
    "State",
    "StoryState",
    "Tier",
    "Transition",
    "band",
    "compose",
    "decay",
    "lifecycle",
    "makeup",
    "measure",
    "raw",
    "score",
    "sentiment",
    "spike",
]
