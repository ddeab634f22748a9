"""Pairs to label are drawn from stories by two ways, and the same seed draws the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.joined_pairs import Pair, drawn_by_pair, drawn_by_story, shared_stories, to_label
from hubbub.evaluate.pairs.labelled import read_pairs
from transport.errors import UserError

STORY_OF = {f"t:{number}": "large" for number in range(20)} | {
    f"t:{story}{number}": story for story in "abcdefgh" for number in range(2)
}
STORIES = shared_stories(STORY_OF | {"t:alone": "single"})


def test_only_stories_with_pairs_are_drawn_from() -> None:
    assert Counter(map(len, STORIES)) == {2: 8, 20: 1}


@pytest.mark.parametrize("draw", [drawn_by_story, drawn_by_pair])
def test_pairs_are_distinct_of_one_story_and_the_same_for_a_seed(
    draw: Callable[[list[list[str]], int, int], list[Pair]],
) -> None:
    pairs = draw(STORIES, 9, 7)
    assert len(set(pairs)) == 9
    assert all(one < other and STORY_OF[one] == STORY_OF[other] for one, other in pairs)
    assert draw(STORIES, 9, 7) == pairs
    assert draw(STORIES, 9, 8) != pairs


def test_by_story_each_story_gives_one_pair_and_by_pair_the_large_one_most() -> None:
    assert Counter(STORY_OF[one] for one, _ in drawn_by_story(STORIES, 99, 1)) == dict.fromkeys(
        ["large", *"abcdefgh"], 1
    )
    large = sum(STORY_OF[one] == "large" for one, _ in drawn_by_pair(STORIES, 50, 1))
    assert large > 40
    assert len(drawn_by_pair(STORIES, 10_000, 1)) == 190 + 8


def test_written_lines_are_pairs_once_they_are_labelled(tmp_path: Path) -> None:
    file = tmp_path / "pairs.ndjson"
    file.write_bytes(to_label([("by story", ("t:1", "t:2"))]))
    with pytest.raises(UserError, match="line 1 is not a pair"):
        read_pairs(file)
    file.write_bytes(file.read_bytes().replace(b"null", b"true"))
    ((number, pair),) = read_pairs(file)
    assert (number, pair.a, pair.b, pair.same, pair.drawn) == (1, "t:1", "t:2", True, "by story")
