"""The comparison with the truth distinguishes found, split, merged and missing stories."""

from __future__ import annotations

import pytest

from hubbub.evaluate.stories.world_agreement import compare_with_truth
from hubbub.world.truth import StoryTruth, Truth
from scoring import Factors
from streams.records.noise_score import NoiseScore


def _story(number: int, loudness: float, posts: int = 4) -> StoryTruth:
    return StoryTruth(
        id=f"w{number}",
        title=f"story {number}",
        rank=number,
        loudness=loudness,
        onset_ms=0,
        spikes=[],
        platforms=["reddit"],
        posts=[f"reddit:{number}-{post}" for post in range(posts)],
        items=posts,
        authors=posts,
        interactions={"reddit": 1},
    )


def _score(story: str, noise: float) -> NoiseScore:
    factors = Factors(**dict.fromkeys(Factors.__struct_fields__, 50.0))
    return NoiseScore(
        story=story, slug=story, title=story, beat="general", noise=noise, band="buzz", state="trending", raw=noise,
        decay=1.0, factors=factors, first_seen_ms=0, last_coverage_ms=0, scored_ms=0,
    )  # fmt: skip


STORIES = [_story(1, 60.0), _story(2, 50.0), _story(3, 40.0), _story(4, 30.0)]
TRUTH = Truth(at_ms=0, posts=16, replies=0, stories=STORIES)
RIGHT = {post: (f"st_{story.id}",) for story in STORIES for post in story.posts}
SCORES = {f"st_w{number}": _score(f"st_w{number}", 65.0 - 10 * number) for number in range(1, 5)}


def test_all_stories_are_found() -> None:
    result = compare_with_truth(TRUTH, RIGHT, SCORES)
    assert (result.stories, result.found_once, result.split_in_three) == (4, 4, 0)
    assert result.spearman == pytest.approx(1.0)
    assert [item.together for item in result.found] == [4, 4, 4, 4]


def test_rank_correlation_falls_when_neighbours_swap() -> None:
    swapped = {**SCORES, "st_w1": _score("st_w1", 44.0), "st_w2": _score("st_w2", 56.0)}
    assert compare_with_truth(TRUTH, RIGHT, swapped).spearman == pytest.approx(0.8)


def test_a_split_story_is_not_found_once() -> None:
    split = {**RIGHT, "reddit:1-2": ("st_x",), "reddit:1-3": ("st_x",)}
    result = compare_with_truth(TRUTH, split, {**SCORES, "st_x": _score("st_x", 1.0)})
    assert result.found_once == 3
    assert result.found[0].pieces == 2
    assert result.split_in_three == 0


def test_a_single_post_in_another_story_is_not_a_piece() -> None:
    result = compare_with_truth(TRUTH, {**RIGHT, "reddit:1-3": ("st_x",)}, SCORES)
    assert (result.found_once, result.found[0].together) == (4, 3)


def test_two_stories_in_one_are_not_found_once() -> None:
    merged = {post: ("st_w1",) if post.startswith("reddit:2") else held for post, held in RIGHT.items()}
    assert compare_with_truth(TRUTH, merged, SCORES).found_once == 2


def test_posts_in_no_story_are_missing() -> None:
    nothing = {post: held for post, held in RIGHT.items() if not post.startswith("reddit:4")}
    result = compare_with_truth(TRUTH, nothing, SCORES)
    assert (result.found[3].story, result.found[3].missing) == (None, 4)
    assert result.found_once == 3
