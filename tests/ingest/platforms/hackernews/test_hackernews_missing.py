"""Missing items are asked for again, a limited number of times."""

from __future__ import annotations

from ingest.platforms.hackernews.missing import MissingItems
from tests.ingest.fake_clock import FakeClock


def test_an_item_is_asked_for_again_until_its_last_try() -> None:
    clock = FakeClock()
    missing = MissingItems(60.0, 3, clock, [7])
    assert missing.due() == [7]
    assert missing.add(5)
    assert (missing.due(), missing.ids()) == ([7], [5, 7])
    clock.now += 60
    assert missing.due() == [7, 5]
    assert [missing.add(5), missing.add(5)] == [True, False]
    missing.discard(7)
    missing.discard(7)
    assert (len(missing), missing.ids()) == (0, [])
