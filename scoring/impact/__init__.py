"""The default assessor: category and consequences of a story, from its words alone and offline."""

from scoring.impact.assessor import Embed, OfflineAssessor

__all__ = ["Embed", "OfflineAssessor"]
