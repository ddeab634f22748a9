"""B-cubed: how well stories agree with labels.

Owns the measure (Bagga & Baldwin, 1998), an average over labelled posts. Precision of a post: the share of its story
that has its label. Recall: the share of its label that is in its story. A post without a label belongs to no story. It
is not averaged, but it lowers the precision of the story that it is put into.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BCubed:
    """B-cubed precision, recall and their harmonic mean, each 0 to 1."""

    precision: float
    recall: float
    f1: float


def b_cubed(stories: Sequence[str], labels: Sequence[str | None]) -> BCubed:
    """Return how well ``stories`` agree with ``labels``, post by post; zeros if no post has a label.

    >>> b_cubed(["a", "a", "b"], ["x", None, "x"])
    BCubed(precision=0.75, recall=0.5, f1=0.6)
    """
    sizes = Counter(stories)
    totals = Counter(label for label in labels if label is not None)
    shared = Counter((story, label) for story, label in zip(stories, labels, strict=True) if label is not None)
    posts = sum(totals.values())
    if not posts:
        return BCubed(0.0, 0.0, 0.0)
    # Each of the n posts that share story and label adds n/size, so the pair adds n²/size.
    precision = sum(n * n / sizes[story] for (story, _), n in shared.items()) / posts
    recall = sum(n * n / totals[label] for (_, label), n in shared.items()) / posts
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))
