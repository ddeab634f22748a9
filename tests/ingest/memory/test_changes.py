"""Changes: a signal that says what the last one of its item said is none."""

from __future__ import annotations

from ingest.memory.changes import Changes
from ingest.signal import Counts, Signal
from tests.ingest.sites import NOW_MS


def signal(id_: str = "a:1", observed_ms: int = NOW_MS, likes: int = 1, **changes: object) -> Signal:
    fields: dict[str, object] = {"title": "One", "kind": "post", "platform": "a", "created_ms": NOW_MS}
    return Signal(id=id_, thread=id_, observed_ms=observed_ms, counts=Counts(likes=likes), **(fields | changes))  # type: ignore[arg-type]


def test_only_what_an_item_says_counts() -> None:
    changes = Changes(10)
    assert changes.observe(signal())
    assert not changes.observe(signal(observed_ms=NOW_MS + 1))
    assert changes.observe(signal(likes=2))
    assert changes.observe(signal(likes=2, title="Two"))
    assert changes.observe(signal(likes=2, title="Two", deleted=True))
    assert changes.observe(signal("a:2"))


def test_the_item_that_was_seen_longest_ago_is_dropped_first() -> None:
    changes = Changes(2)
    for id_ in ("a:1", "a:2", "a:1", "a:3"):
        changes.observe(signal(id_))
    assert ["a:1" in changes, "a:2" in changes, "a:3" in changes, len(changes)] == [True, False, True, 2]
