"""Evidence: each factor is traced to the signals that contributed most, in any order."""

from __future__ import annotations

import random

import msgspec
import pytest

from ingest.signal import Author, Community, Counts, Signal
from scoring import EvidenceSet, Ledger, Reading
from scoring.ledger.evidence import AGAINST, AUDIENCE, FAVOUR, FIGURE, FIRST, KEPT, MAX_FIGURES, VOTES
from tests.scoring.stories import NOW_MS, ledger_of, seeded_story

POST = Signal(
    id="reddit:1",
    kind="post",
    platform="reddit",
    thread="reddit:1",
    title="A title",
    permalink="https://example.org/1",
    counts=Counts(likes=10, like_ratio=0.75),
    created_ms=NOW_MS,
    observed_ms=NOW_MS,
)


def signal(number: int, **changed: object) -> Signal:
    made = msgspec.structs.replace(POST, id=f"reddit:{number}", thread=f"reddit:{number}")
    return msgspec.structs.replace(made, **changed)


@pytest.mark.parametrize(
    ("changed", "people", "of"),
    [
        ({"counts": Counts(views=70)}, 70, ""),
        ({"community": Community("c", 1000), "author": Author("a", 900)}, 20, "c"),
        ({"author": Author("a", 900)}, 45, "a"),
        ({}, 500, ""),
        ({"platform": "gab"}, 500, ""),
    ],
)
def test_an_audience_is_traced_to_its_source(changed: dict[str, object], people: float, of: str) -> None:
    (one,) = ledger_of(signal(1, **changed)).evidence.of(AUDIENCE)
    assert (one.amount, one.detail, one.id, one.title) == (people, of, "reddit:1", "A title")


def test_an_unknown_audience_has_no_evidence() -> None:
    assert set(ledger_of(signal(1, counts=Counts())).evidence.kept) == {FIRST + "reddit"}


def test_a_community_is_kept_once_with_its_largest_size() -> None:
    places = [signal(n, community=Community("c", 1000 * n)) for n in (1, 3, 2)]
    (one,) = ledger_of(*places).evidence.of(AUDIENCE)
    assert (one.amount, one.id) == (60, "reddit:3")


def test_the_most_voted_and_the_most_liked_replies_are_kept() -> None:
    posts = [signal(n, counts=Counts(likes=n, like_ratio=n / 10)) for n in range(6)]
    kept = ledger_of(*posts).evidence.of(VOTES)
    assert [(one.amount, one.detail) for one in kept] == [(5, "0.50"), (4, "0.40"), (3, "0.30")]
    replies = [(signal(n, kind="reply", counts=Counts(likes=n)), Reading((), 1 if n % 2 else -1)) for n in range(8)]
    evidence = ledger_of(*replies).evidence
    assert [one.id for one in evidence.of(FAVOUR)] == ["reddit:7", "reddit:5"]
    assert [one.id for one in evidence.of(AGAINST)] == ["reddit:6", "reddit:4"]
    assert not evidence.of(FIRST + "reddit"), "a reply is no post"


def test_platforms_and_figures_are_traced_to_the_earliest_signal() -> None:
    early = signal(1, created_ms=NOW_MS - 5), Reading(("ada",))
    late = signal(2), Reading(("ada", "bob"))
    for order in ((early, late), (late, early)):
        evidence = ledger_of(*order).evidence
        assert [one.id for one in evidence.of(FIGURE + "ada")] == ["reddit:1"]
        assert [one.id for one in evidence.of(FIGURE + "bob")] == ["reddit:2"]
        assert [one.id for one in evidence.of(FIRST + "reddit")] == ["reddit:1"]


def test_figures_past_the_cap_are_not_traced() -> None:
    many = [(signal(n), Reading((f"{n * 7 % 100:03}",))) for n in range(100)]
    half = ledger_of(*many[50:])
    half.merge(ledger_of(*many[:50]))
    for ledger in (ledger_of(*many), half):
        assert sorted(what for what in ledger.evidence.kept if what.startswith(FIGURE)) == [
            f"{FIGURE}{n:03}" for n in range(MAX_FIGURES)
        ]


@pytest.mark.parametrize("seed", range(5))
def test_order_repetition_encoding_and_merging_do_not_matter(seed: int) -> None:
    seen = seeded_story(seed, 60)
    expected = ledger_of(*seen).evidence.kept
    shuffled = seen + seen[::3]
    random.Random(seed).shuffle(shuffled)
    assert ledger_of(*shuffled).evidence.kept == expected
    one, other = ledger_of(*seen[::2]), ledger_of(*seen[1::2])
    one.merge(Ledger.decode(other.encode()))
    assert one.evidence.kept == expected
    assert all(len(kept) <= KEPT.get(what, 1) for what, kept in expected.items())


def test_long_texts_are_shortened() -> None:
    (one,) = ledger_of(signal(1, title="é" * 999, permalink="https://" + "x" * 200)).evidence.of(AUDIENCE)
    assert (len(one.title.encode()), one.permalink) == (100, "")
    assert EvidenceSet().of(AUDIENCE) == ()
