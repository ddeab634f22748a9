"""Pages as GDELT's files and its search give them, and the signals they become."""

from __future__ import annotations

import pytest

from ingest import signal
from ingest.platforms.gdelt.convert import convert
from ingest.signal import Community, Signal

NOW_MS = 1_704_213_600_000  # 2024-01-02 16:40 UTC
PAGE = {
    "url": "https://www.ledger.example.com/ai/a-model?utm_source=x",
    "title": "A model &#x2013; and AT&amp;amp;T",
    "seendate": "20240102163000",
    "published": "20240102161500",
    "domain": "ledger.example.com",
    "language": "eng",
}


def one(**changes: object) -> Signal:
    (found,) = convert({**PAGE, **changes}, NOW_MS).signals
    signal.check(found, NOW_MS)
    return found


def test_a_page_is_a_post_with_its_fields() -> None:
    assert one() == Signal(
        id="gdelt:ledger.example.com/ai/a-model",
        kind="post",
        platform="gdelt",
        thread="gdelt:ledger.example.com/ai/a-model",
        community=Community(name="ledger.example.com"),
        title="A model – and AT&T",
        url="https://www.ledger.example.com/ai/a-model?utm_source=x",
        permalink="https://www.ledger.example.com/ai/a-model?utm_source=x",
        lang="en",
        created_ms=NOW_MS - 25 * 60_000,
        observed_ms=NOW_MS,
    )


@pytest.mark.parametrize(
    ("published", "seen", "minutes_ago"),
    [
        (None, "20240102163000", 10),
        (None, "20240102T163000Z", 10),
        ("20240104163000", "20240102163000", 10),  # tomorrow's paper
        ("20240104163000", "20240104163000", 0),
        ("00010101000000", "nonsense", 0),
        ("20190102163000", None, 5 * 365 * 1440 + 1440 + 10),
    ],
)
def test_a_page_is_never_newer_than_its_observation(published: str | None, seen: str | None, minutes_ago: int) -> None:
    assert one(published=published, seendate=seen).created_ms == NOW_MS - minutes_ago * 60_000


def test_the_titles_of_the_search_lose_the_spaces_before_marks() -> None:
    assert one(title="US - China : what next ? A ( long ) list , in 3 . 5 parts").title == (
        "US - China: what next? A ( long) list, in 3. 5 parts"
    )


@pytest.mark.parametrize("url", ["", "12345", "javascript:alert(1)", "http://[", None])
def test_a_page_without_a_link_is_a_dead_letter(url: object) -> None:
    (dead,) = convert({**PAGE, "url": url}, NOW_MS).unreadable
    assert dead.reason == "wrong_shape"
