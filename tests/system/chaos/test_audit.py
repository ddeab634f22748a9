"""The audit of chaos: each promise is broken by the fault that it is about, and by nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hubbub.world.generated import Size, generate
from streams.records.noise_score import NoiseScore, decode_score
from tests.streams.serve.newsroom import encoded, event_record, score_record
from tests.system.chaos.audit import (
    LISTED_COMMENTS,
    RunRecords,
    _is_unlisted,
    accounted,
    compare_with_undisturbed,
    dead_letters,
)
from tests.system.chaos.load import Load


def score(**fields: Any) -> NoiseScore:
    return decode_score(*encoded(score_record(**fields)))


def event(type_: str) -> bytes:
    return encoded(event_record(type_))[1]


UNDISTURBED = RunRecords(scores={"st_1": score()}, events=Counter([event("spike"), event("noise_update")]))


def test_a_run_equals_the_undisturbed_one_whatever_it_emitted_on_the_way() -> None:
    run = RunRecords(scores={"st_1": score(previous=7)}, events=Counter([event("spike")] * 2))
    assert all(finding.kept for finding in compare_with_undisturbed(run, UNDISTURBED))


@pytest.mark.parametrize(
    ("scores", "events", "broken"),
    [
        ({"st_1": score(noise=39.6)}, ["spike"], [True, True, False]),
        ({"st_1": score(velocity_per_hour=13)}, ["spike"], [False, True, False]),
        ({}, ["spike"], [True, True, False]),
        ({"st_1": score()}, [], [False, False, True]),
        ({"st_1": score()}, ["spike", "resolved"], [False, False, True]),
    ],
)
def test_each_difference_from_the_undisturbed_run_is_found(
    scores: dict[str, NoiseScore], events: list[str], broken: list[bool]
) -> None:
    run = RunRecords(scores=scores, events=Counter(map(event, events)))
    assert [not finding.kept for finding in compare_with_undisturbed(run, UNDISTURBED)] == broken


def test_every_invalid_record_and_no_other_is_a_dead_letter() -> None:
    poison = {(0, 4): b"rubbish", (1, 2): b""}
    run = RunRecords(unreadable=dict(poison), dead_letters=Counter(poison.keys()))
    assert dead_letters(run, poison).kept
    run.dead_letters[0, 4] += 1
    assert dead_letters(run, poison).kept, "a dead letter may be repeated after a crash"
    assert not dead_letters(run, {}).kept, "a record that is no poison became unreadable"
    run.dead_letters[2, 0] = 1
    assert not dead_letters(run, poison).kept, "a valid record is a dead letter"
    del run.dead_letters[2, 0], run.dead_letters[1, 2]
    assert not dead_letters(run, poison).kept, "a dead letter is missing"


def test_the_counts_of_resolve_must_add_up_to_what_it_read() -> None:
    run = RunRecords(unreadable={(0, 0): b"", (0, 1): b""}, counts={0: {"read": 3, "used": 2, "ignored": 1}})
    assert accounted(run).kept, "a record may be read twice"
    for counts in ({"read": 3, "used": 2}, {"read": 1, "used": 1}):
        assert not accounted(RunRecords(unreadable=run.unreadable, counts={0: counts})).kept
    assert not accounted(RunRecords(unreadable=run.unreadable)).kept, "a partition is missing"


def test_the_load_counts_silences_of_more_than_a_second() -> None:
    load = Load.of(100, began_ms=0, published_seconds=5, ended_ms=10_000, emitted_ms={0: [500, 4_000, 9_500], 1: []})
    assert (load.published_per_second, load.scored_per_second) == (20, 10)
    assert load.silent_seconds == 10
    assert load.silent_share == pytest.approx((3.5 + 5.5 + 10) / 20)


def test_a_comment_is_unlisted_only_if_a_thousand_newer_ones_hid_it_before_the_next_poll() -> None:
    world = generate(1, 0, Size(hours=6, stories=12, chatter=400, replies=3_000))
    comments = world.replies("reddit").items
    first = comments[0]
    soon, late = comments[LISTED_COMMENTS - 1].appears_ms, comments[LISTED_COMMENTS + 1].appears_ms
    assert soon < late
    assert _is_unlisted(first, [late], world)
    assert not _is_unlisted(first, [soon, late], world), "it was listed at the first poll"
    assert not _is_unlisted(first, [first.appears_ms], world), "there was no poll since it appeared"
    assert not _is_unlisted(first, [], world)
    assert not _is_unlisted(first.post, [late], world), "posts are polled by name"
    assert not _is_unlisted(world.replies("hackernews").items[0], [late], world), "Hacker News hides nothing"
    assert not _is_unlisted(None, [late], world)
