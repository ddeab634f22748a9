"""B-cubed follows its definition, and an evaluation reports what a matcher decides."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.cli import main
from hubbub.evaluate.stories.b_cubed import b_cubed
from hubbub.evaluate.stories.evaluation import Labelled, evaluate
from ingest.signal import Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher

START_MS = 1_767_225_600_000
posts = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(("x", "y", "z", None))), min_size=1, max_size=30)


def post(number: int, title: str, *, thread: int | None = None) -> Signal:
    """Return a post seen ``number`` minutes after the start."""
    at_ms = START_MS + 60_000 * number
    root = number if thread is None else thread
    kind: Literal["post", "reply"] = "post" if thread is None else "reply"
    return Signal(
        id=f"t:{number}", kind=kind, platform="t", thread=f"t:{root}", title=title, created_ms=at_ms, observed_ms=at_ms
    )


@given(posts)
def test_agreement_is_b_cubed_post_by_post(pairs: list[tuple[str, str | None]]) -> None:
    labelled = [(story, label) for story, label in pairs if label is not None]
    measured = b_cubed(*zip(*pairs, strict=True))
    if not labelled:
        assert measured.f1 == 0
        return
    precision = recall = 0.0
    for story, label in labelled:
        shared = sum(pair == (story, label) for pair in pairs)
        precision += shared / sum(other == story for other, _ in pairs) / len(labelled)
        recall += shared / sum(other == label for _, other in pairs) / len(labelled)
    assert measured.precision == pytest.approx(precision)
    assert measured.recall == pytest.approx(recall)
    assert measured.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_an_unlabelled_post_lowers_precision_only_in_its_story() -> None:
    labels = ["x", "x", "x", None]
    assert b_cubed(["a", "a", "a", "b"], labels).f1 == 1
    assert b_cubed(["a", "a", "a", "a"], labels).precision == 0.75


def test_posts_are_taken_in_order_of_observation_and_replies_follow_their_thread() -> None:
    quake, flight = "Earthquake shakes the coast of Chile overnight", "Airline cancels every flight to Madrid today"
    labelled = [
        Labelled(post(4, "so sad", thread=1), "quake"),
        Labelled(post(3, flight), "flight"),
        Labelled(post(2, quake), "quake"),
        Labelled(post(1, quake), "quake"),
    ]
    result = evaluate(labelled, Matcher(load_beat("general")))
    assert (result.signals, result.labelled, result.stories, result.found, result.of) == (4, 4, 2, 2, 2)
    assert result.final.f1 == result.arrival.f1 == 1
    assert result.stages == {"new": 2, "near_duplicate": 1, "thread": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json\n", "line 1 is not a signal"),
        ('{"v":1,"id":"t:1","kind":"post","platform":"t","thread":"t:1","created_ms":1767225600000,'
         '"observed_ms":1767225600000}\n', "t:1"),
        ("", "no labelled signals"),
    ],
    ids=("no signal", "no label", "empty"),
)  # fmt: skip
def test_a_file_without_labels_is_reported_in_one_line(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.ndjson").write_text(content)
    assert main(["eval", "stories", str(tmp_path / "posts.ndjson")]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_the_command_prints_one_object(shared: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with gzip.open(shared / "labelled/news-stories.ndjson.gz") as recording:
        lines = recording.readlines()[:200]
    (tmp_path / "posts.ndjson").write_bytes(b"".join(lines))
    assert main(["eval", "stories", str(tmp_path / "posts.ndjson"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["signals"] == printed["labelled"] == 200
    assert 0 < printed["arrival"]["recall"] <= printed["final"]["recall"] <= 1
    assert main(["eval", "stories", str(tmp_path / "posts.ndjson")]) == 0
    assert "F1" in capsys.readouterr().out
