"""`measure` gives exactly what the score at that time says, with less computation."""

from __future__ import annotations

import random

import pytest

from ingest.signal import Author, Community, Counts, Signal
from scoring import Ledger, Reading, measure, score

HOUR_MS = 3_600_000
BEGIN_MS = 1_767_225_600_000


def observed(number: int, chance: random.Random) -> tuple[Signal, Reading]:
    """Return one observation of one of some items, somewhere in four days, on one of three platforms."""
    platform = chance.choice(("reddit", "hackernews", "mastodon"))
    root = chance.random() < 0.3
    created_ms = BEGIN_MS + chance.randrange(96 * HOUR_MS)
    return Signal(
        id=f"{platform}:{number}",
        kind="post" if root else "reply",
        platform=platform,
        thread=f"{platform}:{number}" if root else f"{platform}:root",
        author=Author(f"author{chance.randrange(20)}", chance.choice((None, 5_000))),
        community=chance.choice((None, Community("place", 40_000))),
        counts=Counts(likes=chance.randrange(500), replies=chance.randrange(9), like_ratio=chance.choice((None, 0.7))),
        created_ms=created_ms,
        observed_ms=created_ms + chance.randrange(HOUR_MS),
    ), Reading(sentiment=None if root else chance.choice((-1, 0, 1, None)))


@pytest.mark.parametrize("items", [0, 1, 12, 150, 400])
@pytest.mark.parametrize("alarmed", [False, True])
def test_a_measure_equals_that_of_the_score(items: int, alarmed: bool) -> None:
    chance = random.Random(items)
    ledger, at_ms = Ledger(), BEGIN_MS
    for number in range(items):
        ledger.apply(*observed(number, chance))
        if number % 20 == 0:
            at_ms += chance.randrange(12 * HOUR_MS)  # some items are later than that
            assert measure(ledger, at_ms, alarmed=alarmed) == score(ledger, at_ms).measures(alarmed)
    at_ms = BEGIN_MS + 200 * HOUR_MS
    assert measure(ledger, at_ms, alarmed=alarmed) == score(ledger, at_ms).measures(alarmed)
