"""What is taken back: its counts stay, its words are shown nowhere, in whatever order that becomes known."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest

from ingest.signal import Author, Community, Counts, Signal
from scoring import Reading, score
from scoring.ledger import Ledger
from scoring.ledger.evidence import AGAINST, AUDIENCE, VOTES
from scoring.ledger.sample import MAX_ITEMS
from scoring.ledger.taken_back import MAX_TAKEN_BACK

T0 = 1_700_000_000_000
HOUR = 3_600_000
POST = Signal(
    id="reddit:t3_1",
    kind="post",
    platform="reddit",
    thread="reddit:t3_1",
    title="A secret title",
    url="https://secret.example/page",
    permalink="https://secret.example/1",
    author=Author(name="secret author", followers=900),
    counts=Counts(likes=10, replies=2, like_ratio=0.9),
    created_ms=T0,
    observed_ms=T0 + 1,
)
REPLY = msgspec.structs.replace(
    POST,
    id="reddit:t1_2",
    kind="reply",
    title=None,
    text="A secret text",
    counts=Counts(likes=50, like_ratio=0.4),
    created_ms=T0 + 2,
)
OTHER = msgspec.structs.replace(
    POST, id="reddit:t3_3", thread="reddit:t3_3", title="An open title", permalink="open", author=Author(name="open")
)
AGAINST_IT = Reading((), -1)


def gone(signal: Signal, observed_ms: int, counts: Counts | None = None) -> Signal:
    """Return what a collector says of ``signal`` once it was taken back."""
    return Signal(
        id=signal.id,
        kind=signal.kind,
        platform=signal.platform,
        thread=signal.thread,
        counts=counts or Counts(),
        created_ms=signal.created_ms,
        observed_ms=observed_ms,
        deleted=True,
    )


def ledger_of(*signals: Signal) -> Ledger:
    ledger = Ledger()
    for one in signals:
        ledger.apply(one, AGAINST_IT if one.kind == "reply" and not one.deleted else Reading())
    return ledger


def words(ledger: Ledger) -> str:
    """Return everything of a ledger that may be shown or read, as one text."""
    shown = score(ledger, T0 + HOUR).top
    pieces = [ledger.evidence.of(what) for what in ledger.evidence.kept]
    return repr((shown, ledger.titles(), ledger.candidates, pieces))


@pytest.mark.parametrize("counts", [None, Counts(likes=10, replies=2)])
def test_words_are_gone_and_counts_stay_in_any_order(counts: Counts | None) -> None:
    before = score(ledger_of(POST, REPLY, OTHER), T0 + HOUR)
    seen = (POST, REPLY, OTHER, gone(POST, T0 + 5, counts), gone(REPLY, T0 + 6))
    results = [ledger_of(*order) for order in itertools.permutations(seen)]
    for ledger in results:
        assert "secret" not in words(ledger)
        assert "An open title" in words(ledger)
        assert ledger == results[0]
        after = score(ledger, T0 + HOUR)
        assert [one.id for one in after.top] == ["reddit:t3_3"]
        assert (after.noise, after.windows, after.inputs.people) == (before.noise, before.windows, before.inputs.people)


def test_evidence_keeps_its_amounts() -> None:
    ledger = ledger_of(POST, REPLY, gone(POST, T0 + 5), gone(REPLY, T0 + 5))
    assert [one.amount for one in ledger.evidence.of(VOTES)] == [50, 10]
    assert [(one.amount, one.title) for one in ledger.evidence.of(AGAINST)] == [(50, "")]
    assert [(one.id, one.detail) for one in ledger.evidence.of(AUDIENCE)] == [(POST.id, "")]


def test_a_community_that_the_post_stated_the_size_of_loses_only_the_words() -> None:
    post = msgspec.structs.replace(POST, community=Community(name="technology", members=1_000))
    before, after = ledger_of(post), ledger_of(post, gone(post, T0 + 5))
    assert score(after, T0 + HOUR).inputs.people == score(before, T0 + HOUR).inputs.people > 0


def test_what_is_put_back_is_shown_again() -> None:
    back = msgspec.structs.replace(POST, observed_ms=T0 + 9)
    for order in itertools.permutations((POST, gone(POST, T0 + 5), back)):
        ledger = ledger_of(*order)
        assert ledger.titles() == ("A secret title",)
        assert [one.id for one in score(ledger, T0 + HOUR).top] == [POST.id]


def test_a_merge_takes_the_words_from_both() -> None:
    for first, second in itertools.permutations(((POST, REPLY), (OTHER, gone(POST, T0 + 5), gone(REPLY, T0 + 5)))):
        ledger = ledger_of(*first)
        ledger.merge(ledger_of(*second))
        assert ledger == ledger_of(*first, *second)
        assert "secret" not in words(ledger)


def test_it_is_stored() -> None:
    ledger = Ledger.decode(ledger_of(gone(POST, T0 + 5)).encode())
    ledger.apply(POST)
    assert "secret" not in words(ledger)
    assert b"secret" not in ledger_of(POST, gone(POST, T0 + 5)).encode()


def test_an_item_that_is_only_known_as_taken_back_counts_once() -> None:
    ledger = ledger_of(gone(POST, T0 + 5, Counts(likes=3)))
    assert score(ledger, T0 + HOUR).windows["life"].interactions == 3
    assert words(ledger_of(gone(POST, T0 + 5))).count("secret") == 0


def test_memory_is_bounded_and_in_a_large_story_the_words_go_too() -> None:
    rng = random.Random(1)
    posts = [
        msgspec.structs.replace(POST, id=f"reddit:t3_{n}", thread=f"reddit:t3_{n}", counts=Counts(likes=n))
        for n in range(2 * MAX_ITEMS)
    ]
    latest, before = posts[-MAX_TAKEN_BACK:], posts[:10]
    seen = [*posts, *(gone(one, T0 + 5) for one in latest), *(gone(one, T0 + 2) for one in before)]
    ledgers = []
    for _ in range(2):
        rng.shuffle(seen)
        ledgers.append(ledger_of(*seen))
    for ledger in ledgers:
        assert len(ledger.taken_back.at_ms) == MAX_TAKEN_BACK
        assert (ledger.titles(), score(ledger, T0 + HOUR).top) == ((), ())
    assert ledgers[0] == ledgers[1]
