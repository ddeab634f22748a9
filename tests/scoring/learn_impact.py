"""Learn the weights of the offline assessor. Run: python -m tests.scoring.learn_impact SHARED.

``SHARED``: the folder with the recordings. Ridge regression of the impact, and of 1 or 0 for each category. It reads
the invented headlines and the recorded ones of ``headlines_tried.tsv``, never the untouched ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import scoring.impact
from scoring.assessment import Category
from scoring.impact.assessor import Evidence, word_vectors
from tests.scoring.recorded_titles import labelled, recorded_titles

PENALTY = 4.0
"""Chosen by cross-validation over the recorded headlines; from 2 to 8 it hardly matters."""
FREE = 1e-6
"""The penalty of the constant."""
FILE = Path(scoring.impact.__file__).with_name("weights.tsv")


def learn(shared: Path) -> tuple[Evidence, NDArray[np.float64]]:
    """Return the evidence, and the weights: a row for each number of it."""
    evidence = Evidence(word_vectors())
    headlines = [*labelled("headlines.tsv"), *labelled("headlines_tried.tsv", recorded_titles(shared))]
    rows = np.array([evidence.read(headline.text) for headline in headlines])
    judged = np.array(
        [[*(float(each == category) for each in get_args(Category)), impact] for impact, category, _ in headlines]
    )
    penalties = np.full(rows.shape[1], PENALTY)
    penalties[-1] = FREE
    return evidence, np.linalg.solve(rows.T @ rows + np.diag(penalties), rows.T @ judged)


def main() -> None:
    """Write the weights."""
    evidence, weights = learn(Path(sys.argv[1]))
    lines = ["\t".join(("", *get_args(Category), "impact"))]
    for name, row in zip(evidence.names, weights, strict=True):
        lines.append("\t".join((name, *(f"{weight:.4g}" for weight in row))))
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
