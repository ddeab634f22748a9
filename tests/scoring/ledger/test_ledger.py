"""The ledger: which observation counts, what is kept of it, and old and broken encodings."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.signal import Author, Community, Counts, Signal
from scoring import Assessment, CorruptLedgerError, Ledger, Lifecycle, Reading, Spike, StoryState, score
from scoring.ledger import MAX_FIGURES, MAX_PLATFORMS
from scoring.ledger.coverage import MAX_RUNS, RUN_GAP_MS, Run, cover, cover_run
from scoring.ledger.evidence import EvidenceSet
from tests.scoring.stories import ledger_of

T0 = 1_704_000_000_000
HOUR = 3_600_000
POST = Signal(
    id="reddit:1",
    kind="post",
    platform="reddit",
    thread="reddit:1",
    title="A title",
    permalink="https://example.org/1",
    counts=Counts(likes=10, replies=2),
    created_ms=T0,
    observed_ms=T0 + HOUR,
)


def signal(**changed: object) -> Signal:
    return msgspec.structs.replace(POST, **changed)


def reply(number: int, **changed: object) -> Signal:
    made = signal(id=f"reddit:1.{number}", kind="reply", title=None, counts=Counts(), created_ms=T0 + number)
    return msgspec.structs.replace(made, **changed)


def life(ledger: Ledger, name: str = "interactions") -> int:
    value: int = getattr(score(ledger, T0 + 2 * HOUR).windows["life"], name)
    return value


@pytest.mark.parametrize("scored_between", [False, True])
def test_coverage_begins_at_the_earliest_time_of_any_observation_in_any_order(scored_between: bool) -> None:
    seen = (POST, signal(created_ms=T0 - 7, observed_ms=T0 - 5), signal(created_ms=T0 + 9, observed_ms=T0 + 2 * HOUR))
    for order in itertools.permutations(seen):
        ledger = Ledger()
        for one in order:
            ledger.apply(one)
            if scored_between:
                score(ledger, T0 + 2 * HOUR)
        (item,) = ledger.items.values()
        assert (item.covered_ms, ledger.runs) == (T0 - 7, [(T0 - 7, T0 - 7)])


def test_a_later_observation_replaces_the_counts_and_adds_no_item() -> None:
    later = signal(counts=Counts(likes=7, replies=1), observed_ms=T0 + HOUR + 1)
    for order in itertools.permutations((POST, later, later)):
        ledger = ledger_of(*order)
        assert (life(ledger), life(ledger, "items")) == (9, 1)


def test_an_observation_without_counts_never_erases_counts() -> None:
    bare = signal(counts=Counts(), observed_ms=T0 + 2 * HOUR)
    for order in itertools.permutations((POST, bare)):
        assert life(ledger_of(*order)) == 14
    for known in (Counts(views=0), Counts(like_ratio=0.5), Counts(replies=0), Counts(shares=0), Counts(likes=0)):
        assert life(ledger_of(POST, signal(counts=known, observed_ms=T0 + 2 * HOUR))) == 0


def test_observations_that_disagree_at_one_time_give_the_same_in_any_order() -> None:
    twins = [
        signal(counts=counts, author=author)
        for counts in (
            Counts(likes=10, replies=2, like_ratio=0.5),
            Counts(likes=10, replies=2),
            Counts(likes=9, shares=8),
        )
        for author in (None, Author("a", 5), Author("b", 5))
    ]
    first = ledger_of(*twins)
    for order in itertools.islice(itertools.permutations(twins), 0, 300_000, 17_001):
        assert ledger_of(*order) == first
    assert life(first) == 14


def test_replies_are_the_larger_of_the_counter_and_those_seen() -> None:
    assert life(ledger_of(POST, reply(1))) == 14
    assert life(ledger_of(POST, *map(reply, range(5)))) == 20
    assert life(ledger_of(*map(reply, range(5)), POST)) == 20
    moved = reply(1, thread="reddit:2", observed_ms=T0 + 2 * HOUR, counts=Counts(likes=0))
    assert life(ledger_of(POST, *map(reply, range(3)), moved)) == 14


def test_replies_that_come_after_a_score_count_for_their_post() -> None:
    """Even if nothing else changes in the span of the post."""
    ledger = ledger_of(signal(counts=Counts(likes=10, replies=1)))
    assert life(ledger) == 12
    for number, interactions in ((1, 12), (2, 14), (3, 16)):
        ledger.apply(reply(number, created_ms=T0 + HOUR, observed_ms=T0 + 2 * HOUR))
        assert life(ledger) == interactions
    ledger.apply(reply(3, thread="reddit:2", counts=Counts(likes=0), observed_ms=T0 + 2 * HOUR + 1))
    assert life(ledger) == 14


C, A = Community("c", 1000), Author("a", 300)
OBSERVATIONS = {
    "of likes": (Counts(likes=10), None, None),
    "of views": (Counts(likes=10, views=50), A, None),
    "of members": (Counts(likes=10, replies=3, like_ratio=0.8), A, C),
    "of other votes": (Counts(likes=20, replies=3, like_ratio=0.5), A, C),
    "of more members": (Counts(likes=11, replies=5, like_ratio=0.6), A, Community("c", 2000)),
    "of followers": (Counts(likes=9, shares=4), A, None),
    "of fewer followers": (Counts(likes=90, shares=5), Author("a", 200), None),
    "of another author": (Counts(likes=90, shares=5, like_ratio=0.9), Author("b", 300), C),
    "of more likes": (Counts(likes=900, replies=1), None, None),
    "of fewer views": (Counts(likes=10, views=40), A, None),
}


@pytest.mark.parametrize("then", OBSERVATIONS)
@pytest.mark.parametrize("first", OBSERVATIONS)
@pytest.mark.parametrize("item", [POST, reply(9)], ids=["post", "reply"])
def test_a_later_observation_counts_as_if_it_were_the_only_one(item: Signal, first: str, then: str) -> None:
    """Even after a score of the first one; another item of the same community and author stays."""
    other = signal(id="reddit:2", thread="reddit:2", author=Author("a", 250), community=Community("c", 1500))
    ledger, alone = ledger_of(other, *map(reply, range(4))), ledger_of(other, *map(reply, range(4)))
    for look, (counts, author, community) in enumerate((OBSERVATIONS[first], OBSERVATIONS[then])):
        at_ms = T0 + HOUR + look
        seen = msgspec.structs.replace(item, counts=counts, author=author, community=community, observed_ms=at_ms)
        ledger.apply(seen)
        score(ledger, T0 + 2 * HOUR)
    alone.apply(seen)
    looked, only = score(ledger, T0 + 2 * HOUR), score(alone, T0 + 2 * HOUR)
    assert (looked.factors, looked.windows, looked.inputs) == (only.factors, only.windows, only.inputs)


def test_the_audience_is_the_first_that_is_known() -> None:
    community, author, counts = Community("c", 1000), Author("a", 300), Counts(likes=10, views=50)

    def people(*signals: Signal) -> float:
        return score(ledger_of(*signals), T0 + 2 * HOUR).inputs.people

    assert people(signal(counts=counts, community=community, author=author)) == 50
    assert people(signal(community=community, author=author)) == 20
    assert people(signal(author=author)) == 15
    assert people(signal()) == 500
    assert people(signal(counts=Counts())) == 0
    assert people(signal(community=Community(None, 1000), author=Author(None, 300))) == 500
    assert people(signal(community=Community("c", None), author=Author("a", None))) == 500
    again = signal(id="reddit:2", thread="reddit:2", community=Community("c", 1200), author=author)
    assert people(signal(community=community, author=author), again) == 24
    elsewhere = signal(id="x:2", thread="x:2", platform="x", community=community)
    assert people(signal(community=community), elsewhere) == 40


@pytest.mark.parametrize(("name", "length_ms"), [("5m", 300_000), ("1h", HOUR), ("24h", 24 * HOUR)])
def test_a_window_leaves_out_its_beginning_and_holds_its_end(name: str, length_ms: int) -> None:
    ledger = ledger_of(POST)
    assert score(ledger, T0 + length_ms - 1).windows[name].items == 1
    assert score(ledger, T0 + length_ms).windows[name].items == 0
    assert score(ledger, T0).windows[name].items == 1


def test_a_score_gives_the_lifecycle_its_input() -> None:
    found = score(ledger_of(POST, reply(1), reply(20 * 60_000)), T0 + 70 * 60_000)
    measures = found.measures(alarmed=True)
    assert (measures.noise, measures.velocity_per_hour, measures.platforms) == (found.noise, 1, 1)
    assert measures.alarmed
    assert (measures.last_coverage_ms, measures.hour_begins_ms) == (T0 + 20 * 60_000, T0 + 20 * 60_000)
    assert score(ledger_of(POST), T0 + 3 * HOUR).measures(alarmed=False).hour_begins_ms == 0


def test_a_change_of_counts_alone_is_not_coverage() -> None:
    ledger = ledger_of(POST, signal(observed_ms=T0 + 50 * HOUR, counts=Counts(likes=99)))
    found = score(ledger, T0 + 50 * HOUR)
    assert (found.first_seen_ms, found.last_coverage_ms) == (T0, T0)
    assert found.velocity_per_hour == 0


def test_an_item_observed_before_its_creation_is_covered_when_observed() -> None:
    skewed = signal(created_ms=T0 + 60_000, observed_ms=T0)
    assert score(ledger_of(skewed), T0).windows["5m"].items == 1


def test_the_loudest_signals_are_shown_with_their_words() -> None:
    posts = [
        signal(id=f"reddit:{n}", thread=f"reddit:{n}", title=f"Title {n}", counts=Counts(likes=n)) for n in range(9)
    ]
    ledger = ledger_of(*posts)
    assert ledger.titles() == tuple(f"Title {n}" for n in (8, 7, 6, 5, 4, 3))
    top = score(ledger, T0 + HOUR).top
    assert [(one.title, one.interactions) for one in top] == [(f"Title {n}", n) for n in (8, 7, 6, 5, 4)]
    ledger.apply(
        signal(id="reddit:8", thread="reddit:8", title="New", counts=Counts(likes=5), observed_ms=T0 + 2 * HOUR)
    )
    assert [one.interactions for one in score(ledger, T0 + 2 * HOUR).top] == [7, 6, 5, 5, 4]
    untitled = signal(title=None, text="The text\nhere", permalink=None)
    assert [(one.title, one.permalink) for one in score(ledger_of(untitled), T0 + HOUR).top] == [("The text\nhere", "")]


def test_invalid_and_long_texts_are_shortened() -> None:
    top = score(ledger_of(signal(title="a\ud800b" + "\u00e9" * 999, permalink="https://" + "x" * 999)), T0 + HOUR).top[
        0
    ]
    assert top.title.startswith("a?b\u00e9")
    assert len(top.title.encode()) <= 400
    assert top.permalink == ""
    assert Ledger.decode(ledger_of(signal(id="reddit:\ud800")).encode()).candidates


def test_figures_add_up_and_are_bounded() -> None:
    ledger = Ledger()
    ledger.apply(POST, Reading(("b",)))
    ledger.apply(signal(observed_ms=T0), Reading(("a",)))
    assert score(ledger, T0 + HOUR, tiers={"a": "S", "z": "S"}).figures == ("a", "b")
    assert score(ledger, T0 + HOUR, tiers={"a": "S", "z": "S"}).factors.star_power == 30
    ledger.apply(POST, Reading(tuple(f"{n:03}" for n in range(200))))
    assert sorted(ledger.figures) == [f"{n:03}" for n in range(MAX_FIGURES)]


def test_the_default_registry_gives_the_tiers() -> None:
    ledger = Ledger()
    ledger.apply(POST, Reading(("openai", "simon-willison")))
    assert score(ledger, T0 + HOUR).factors.star_power == 35


def test_platforms_past_the_last_kept_by_name_are_one() -> None:
    ledger = ledger_of(*(signal(id=f"p{n}:1", thread=f"p{n}:1", platform=f"p{n}") for n in range(40)))
    platforms = score(ledger, T0 + HOUR).platforms
    assert len(platforms) == MAX_PLATFORMS
    assert platforms["other"].items == 40 - (MAX_PLATFORMS - 1)


def test_counts_by_five_minutes() -> None:
    ledger = ledger_of(POST, reply(1), reply(600_000), reply(HOUR))
    start = T0 // 300_000 * 300_000
    assert ledger.counts(start, 3) == [2, 0, 1]
    assert sum(ledger.counts(start, 20)) == 4
    assert ledger.counts(start + 3 * HOUR, 2) == [0, 0]


def test_a_merge_keeps_the_later_assessment() -> None:
    old, new = ledger_of(POST), ledger_of(POST)
    old.assessment, new.assessment = Assessment(1, 90.0, "labor"), Assessment(2, 10.0, "policy")
    old.merge(new)
    assert old.assessment == Assessment(2, 10.0, "policy")
    old.merge(ledger_of(POST))
    assert score(old, T0 + HOUR).factors.industry_impact == 10
    fresh = Ledger()
    fresh.merge(old)
    assert fresh == old


V1 = bytes.fromhex(
    "019891a6726564646974939fcfae7c596c96bc53c50000cf0000018cbe877e80cf0000018cbe5090000a0200c0040a000000009fcf64"
    "9e6f63449195760100d3ffe0018cbe877e80cf0000018cbe509001000000c000000000cfae7c596c96bc53c5009fcf8eb3d611ab8f1b"
    "bd0100cf0000018cbe877e80cf0000018cbe509002030000cb3fd000000000000004030000cfae7c596c96bc53c5ff9192cf0000018c"
    "be509000cf0000018cbe50900291a66f70656e616993970ecfae7c596c96bc53c5cf0000018cbe877e80a87265646469743a31a67265"
    "64646974a741207469746c65b568747470733a2f2f6578616d706c652e6f72672f319700cf649e6f6344919576cf0000018cbe877e80"
    "aa7265646469743a312e31a6726564646974a0b568747470733a2f2f6578616d706c652e6f72672f319703cf8eb3d611ab8f1bbdcf00"
    "00018cbe877e80aa7265646469743a312e32a6726564646974a0b568747470733a2f2f6578616d706c652e6f72672f3193cf0000018c"
    "be509000cb404f400000000000a56c61626f72cb0000000000000000c0"
)
"""A ledger encoded by version 1, which every later version must read."""


def test_a_ledger_of_version_1_still_loads() -> None:
    ledger = ledger_of(POST, reply(1))
    ledger.apply(reply(2, counts=Counts(likes=3, like_ratio=0.25)), Reading(("openai",), -1))
    ledger.assessment = Assessment(T0, 62.5, "labor")
    ledger.evidence = EvidenceSet()  # added later
    assert Ledger.decode(V1) == ledger


def test_new_fields_at_the_end_may_be_missing() -> None:
    """A later version reads an earlier encoding: version 1 itself began without sketches."""
    whole = msgspec.msgpack.decode(V1[1:])
    assert Ledger.decode(V1[:1] + msgspec.msgpack.encode(whole[:6])) == Ledger.decode(V1)


@pytest.mark.parametrize("broken", [b"", b"\x00", b"\x09abc", b"\x01", b"\x01\x80", V1[:-3], V1 + b"!"])
def test_bytes_that_are_not_a_ledger_are_refused(broken: bytes) -> None:
    with pytest.raises(CorruptLedgerError):
        Ledger.decode(broken)


def test_a_ledger_differs_from_other_objects_and_has_no_hash() -> None:
    assert Ledger() != 1
    assert not Ledger() != Ledger()  # noqa: SIM202 - the operator itself is tested
    with pytest.raises(TypeError):
        hash(Ledger())


def test_a_storys_state_survives_encoding() -> None:
    state = StoryState(ledger_of(POST), Lifecycle("spike", T0, (1, 0, 2, 0)), Spike(T0, (1, 2), (3,), T0, (4,)))
    assert StoryState.decode(state.encode()) == state
    for broken in (b"", b"\x09", b"\x01\x80", state.encode()[:-1], b"\x01\x91\xc4\x00"):
        with pytest.raises(CorruptLedgerError):
            StoryState.decode(broken)


@given(st.lists(st.integers(0, 40 * 24), max_size=30))
@settings(max_examples=100, deadline=None)
def test_long_gaps_separate_runs(hours: list[int]) -> None:
    runs: list[Run] = []
    for hour in hours:
        cover(runs, T0 + hour * HOUR)
    expected: list[Run] = []
    for hour in sorted(hours):
        at_ms = T0 + hour * HOUR
        if expected and at_ms - expected[-1][1] <= RUN_GAP_MS:
            expected[-1] = (expected[-1][0], at_ms)
        else:
            expected.append((at_ms, at_ms))
    assert runs == expected[-MAX_RUNS:] or len(expected) > MAX_RUNS
    halves: tuple[list[Run], list[Run]] = ([], [])
    for index, hour in enumerate(hours):
        cover(halves[index % 2], T0 + hour * HOUR)
    for run in halves[1]:
        cover_run(halves[0], run)
    assert halves[0] == runs or len(expected) > MAX_RUNS


def test_only_the_latest_runs_are_kept() -> None:
    runs: list[Run] = []
    for week in range(30):
        cover(runs, T0 + week * 7 * 24 * HOUR)
    assert len(runs) == MAX_RUNS
    assert runs[-1][1] == T0 + 29 * 7 * 24 * HOUR
