"""The default assessor: what a story is about, and how much hangs on it, from its words alone and offline."""

from scoring.impact.assessor import Embed, OfflineAssessor

__all__ = ["Embed", "OfflineAssessor"]
