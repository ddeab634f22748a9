"""What Bluesky's collector remembers of what it published."""

from __future__ import annotations

from ingest.platforms.bluesky.published import Published
from ingest.signal import Signal

NOW_MS = 1_780_000_000_000


def post(author: str, rkey: str) -> Signal:
    """Return a post of an author."""
    id_ = f"bluesky:did:plc:{author}/{rkey}"
    return Signal(id=id_, kind="post", platform="bluesky", thread=id_, created_ms=NOW_MS, observed_ms=NOW_MS)


def test_the_items_of_an_author_are_those_that_can_still_be_taken_back() -> None:
    published = Published(max_threads=10, max_items=3)
    first, second, other = post("ann", "1"), post("ann", "2"), post("bob", "1")
    for signal in (first, second, other, second):
        published.add(signal)
    assert published.by("did:plc:ann") == [first.id, second.id]

    published.take_back(second.id)
    published.take_back(second.id)
    assert published.by("did:plc:ann") == [first.id]

    for rkey in ("2", "3", "4"):
        published.add(post("cat", rkey))
    assert published.by("did:plc:ann") == []
    assert published.by("did:plc:bob") == []
    assert published.by("did:plc:cat") == [post("cat", rkey).id for rkey in ("2", "3", "4")]


def test_the_items_of_a_cursor_are_found_by_author() -> None:
    published = Published(10, 3, items=[("bluesky:did:plc:ann/1", "reply", "bluesky:did:plc:bob/1")])
    assert published.by("did:plc:ann") == ["bluesky:did:plc:ann/1"]
