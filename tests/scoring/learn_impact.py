"""Learn the weights of the offline assessor. Run: python -m tests.scoring.learn_impact SHARED.

``SHARED``: the folder with the recordings. Ridge regression of the root of the impact, and multinomial logistic
regression of the category. It reads the invented headlines, and the recorded ones of ``headlines_tried.tsv`` and
``headlines_learnt.tsv``, never the untouched ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import scoring.impact
from scoring.assessment import Category
from scoring.impact.assessor import ROOT_IMPACT, Evidence, word_vectors
from tests.scoring.recorded_titles import labelled, recorded_titles

Array = NDArray[np.float64]

INVENTED = 0.7
"""How much an invented headline counts beside a recorded one: the invented ones are clearer than what people write."""
IMPACT_PENALTY, CATEGORY_PENALTY = 4.0, 1.0
"""Chosen with ``INVENTED`` by cross-validation over the recorded headlines; half or twice as much hardly matters."""
FREE = 1e-3
"""The penalty of the constant."""
STEPS = 500
"""Steps of the logistic regression. More change no weight, of up to 4, by more than 0.002."""
FILE = Path(scoring.impact.__file__).with_name("weights.tsv")


def learn(shared: Path) -> tuple[Evidence, Array]:
    """Return the evidence, and the weights: a row for each number of it."""
    evidence = Evidence(word_vectors())
    titles = recorded_titles(shared)
    invented = labelled("headlines.tsv")
    headlines = [*invented, *labelled("headlines_tried.tsv", titles), *labelled("headlines_learnt.tsv", titles)]
    rows = np.array([evidence.read(headline.text) for headline in headlines])
    counts = np.ones(len(headlines))
    counts[: len(invented)] = INVENTED
    impact = np.sqrt([headline.impact for headline in headlines])
    categories = np.array([[float(each == headline.category) for each in get_args(Category)] for headline in headlines])
    return evidence, np.column_stack((_logistic(rows, categories, counts), _ridge(rows, impact, counts)))


def _penalties(rows: Array, penalty: float) -> Array:
    return np.array([*[penalty] * (rows.shape[1] - 1), FREE])


def _ridge(rows: Array, judged: Array, counts: Array) -> Array:
    weighted = rows.T * counts
    solution = np.linalg.solve(weighted @ rows + np.diag(_penalties(rows, IMPACT_PENALTY)), weighted @ judged)
    return solution.astype(np.float64)


def _logistic(rows: Array, judged: Array, counts: Array) -> Array:
    """Return the weights of a logistic regression, a column for each of the classes in the columns of ``judged``.

    Each step minimises a quadratic that lies above the loss (Boehning, Ann. Inst. Statist. Math. 44, 1992), from a
    point that the step before is extrapolated to (Nesterov).
    """
    penalties = _penalties(rows, CATEGORY_PENALTY)
    inverse = np.linalg.inv((rows.T * counts) @ rows / 2 + np.diag(penalties))
    weights = ahead = np.zeros((rows.shape[1], judged.shape[1]))
    for step in range(STEPS):
        odds = rows @ ahead
        likely = np.exp(odds - odds.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = rows.T @ ((judged - likely) * counts[:, None]) - penalties[:, None] * ahead
        before, weights = weights, ahead + inverse @ slope
        ahead = weights + step / (step + 3) * (weights - before)
    return weights


def main() -> None:
    """Write the weights."""
    evidence, weights = learn(Path(sys.argv[1]))
    lines = ["\t".join(("", *get_args(Category), ROOT_IMPACT))]
    for name, row in zip(evidence.names, weights, strict=True):
        lines.append("\t".join((name, *(f"{weight:.4g}" for weight in row))))
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
