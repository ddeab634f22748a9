"""The seen-set keeps the latest ids, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.memory.seen import Seen


@given(st.integers(1, 10), st.lists(st.sampled_from("abcdefghijklmnop")))
def test_it_keeps_the_latest_and_reports_what_is_new(max_ids: int, added: list[str]) -> None:
    seen = Seen(max_ids)
    latest: list[str] = []
    for id_ in added:
        assert seen.add(id_) is (id_ not in latest)
        latest = [*(other for other in latest if other != id_), id_][-max_ids:]
        assert list(seen) == latest
        assert len(seen) == len(latest)
    assert all((id_ in seen) is (id_ in latest) for id_ in "abcdefghijklmnop")
    assert list(Seen(max_ids, seen)) == latest
