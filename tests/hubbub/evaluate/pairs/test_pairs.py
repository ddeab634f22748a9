"""``hubbub eval pairs`` counts the pairs that are together, and says which it could not measure."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from hubbub.cli import main
from hubbub.evaluate.pairs.evaluation import evaluate_pairs, read_posts, relevant
from hubbub.evaluate.pairs.labelled import LabelledPair, read_pairs
from ingest.signal import Signal, encode
from streams.resolve.matching.beats import Beat, load_beat
from streams.resolve.matching.matcher import Matcher
from tests.streams.examples.signals import reply, root

QUAKE = "Earthquake shakes the coast of Chile overnight"
FLIGHT = "Airline cancels every ferry flight to Madrid today"
HOUR_MS = 3_600_000
POSTS = [
    root("t:quake1", 0, title=QUAKE),
    root("t:flight", 1_000, title=FLIGHT),
    root("t:quake2", 2_000, title=QUAKE),
    root("t:tagged", 3_000, title="Ferry \x1b[31m[bold]sinks\u202e off Crete"),
    root("t:far", 4_000, title="小さな町の祭りに人が集まる"),
]
PAIRS = [
    {"a": "t:quake1", "b": "t:quake2", "same": True, "drawn": "by story"},
    {"a": "t:quake2", "b": "t:flight", "same": False, "drawn": "near by words"},
    {"a": "t:quake2", "b": "t:quake1", "same": False, "drawn": "by story"},
    {"a": "t:flight", "b": "t:tagged", "same": True, "drawn": None},
    {"a": "t:flight", "b": "t:nowhere", "same": True},
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "recording.ndjson"
    file.write_bytes(b"\n".join(map(encode, POSTS)))
    return file


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.ndjson"
    file.write_text("\n".join(map(json.dumps, PAIRS)) + "\n\n")
    return file


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert main(["eval", "pairs", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_pairs_are_counted_by_whether_they_are_together(
    recording: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = printed(capsys, recording, pairs, "--beat", "general")
    assert result["counts"] == {"right": 1, "false": 1, "missed": 1}
    assert (result["precision"], result["recall"], result["f1"]) == (0.5, 0.5, 0.5)
    assert (result["pairs"], result["measured"], result["missing"], result["irrelevant"]) == (5, 4, 1, 0)
    assert (result["posts"], result["stories"]) == (5, 4)
    assert {way: drawn["precision"] for way, drawn in result["drawn"].items()} == {
        "by story": 0.5, "near by words": None, "not stated": None,
    }  # fmt: skip
    assert [(pair["line"], pair["same"], pair["together"]) for pair in result["wrong"]] == [
        (3, False, True),
        (4, True, False),
    ]
    assert result["wrong"][1]["titles"][0] == FLIGHT


def test_pairs_of_posts_outside_the_beat_are_counted_apart(
    recording: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ferries.toml").write_text('name = "ferries"\nkeywords = ["ferry"]\n')
    result = printed(capsys, recording, pairs, "--beat", tmp_path / "ferries.toml")
    assert (result["posts"], result["measured"], result["missing"], result["irrelevant"]) == (2, 1, 1, 3)
    assert (result["precision"], result["recall"]) == (None, 0.0)


def test_the_report_strips_what_could_move_the_cursor(
    recording: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "pairs", str(recording), str(pairs), "--beat", "general", "--wrong"]) == 0
    report = capsys.readouterr().out
    assert "4 of 5 pairs measured: 1 have a post that is not in the recording" in report
    assert "line 3: together, but not one story" in report
    assert "t:tagged  Ferry [31m[bold]sinks off Crete" in report
    assert "unknown" in report
    assert not {"\x1b", "\u202e"} & set(report)


def test_without_wrong_the_pairs_are_not_listed(
    recording: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "pairs", str(recording), str(pairs), "--beat", "general"]) == 0
    assert "line 3" not in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_read(
    suffix: str, recording: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compress = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
    for file in (recording, pairs):
        file.with_name(file.name + suffix).write_bytes(compress(file.read_bytes()))
    files = [file.with_name(file.name + suffix) for file in (recording, pairs)]
    result = printed(capsys, *files, "--beat", "general")
    assert result["counts"] == {"right": 1, "false": 1, "missed": 1}


def test_posts_are_gathered_in_the_order_of_observation(recording: Path, tmp_path: Path) -> None:
    backwards = tmp_path / "backwards.ndjson"
    backwards.write_bytes(b"\n".join(map(encode, reversed(POSTS))))
    labelled = [(1, LabelledPair("t:quake1", "t:quake2", same=True))]
    beat = load_beat("general")
    results = [evaluate_pairs(read_posts(file), labelled, beat, Matcher(beat)) for file in (recording, backwards)]
    assert results[0] == results[1]


def test_a_reply_follows_the_relevance_of_its_root_post() -> None:
    beat = Beat(name="ferries", keywords=("ferry",))
    kept = [root("t:1", 0, title="a ferry sinks"), reply("t:1", 1, 1)]
    other: list[Signal] = [root("t:2", 2, title="a train"), msgspec.structs.replace(reply("t:2", 1, 3), text="ferry")]
    assert relevant([*other, *kept], beat) == kept


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 2 is not a pair"),
        ('{"a": "t:1", "b": "t:2"}', "missing required field `same`"),
        ('{"a": "t:1", "b": 2, "same": true}', "Expected `str`, got `int` - at `$.b`"),
        ('{"a": "t:1", "b": "t:1", "same": true}', "line 2 names one post twice (t:1)"),
        ('{"a": "t:1", "b": "t:2", "same": null}', "Expected `bool`"),
        ('{"x":' + "[" * 100_000, "line 2 is not a pair"),
    ],
    ids=("no JSON", "not labelled", "a number", "itself", "null", "deep"),
)
def test_a_bad_line_is_one_message_with_its_number(
    line: str, message: str, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.ndjson"
    file.write_text(f'{{"a": "t:1", "b": "t:2", "same": true}}\n{line}\n')
    assert_one_line(capsys, ["eval", "pairs", str(recording), str(file)], message)


def assert_one_line(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(words) == 1
    output = capsys.readouterr()
    assert output.out == ""
    (shown,) = output.err.splitlines()
    assert message in shown


def test_a_file_without_pairs_a_bad_recording_and_no_such_beat_are_one_line(
    recording: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, broken = tmp_path / "empty.ndjson", tmp_path / "broken.ndjson"
    empty.write_text("\n")
    broken.write_bytes(encode(POSTS[0]) + b"\n{}\n")
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(gzip.compress(pairs.read_bytes())[:-12])
    for words, message in (
        ([recording, empty], "empty.ndjson holds no labelled pairs"),
        ([broken, pairs], "broken.ndjson, line 2 is not a signal"),
        ([recording, cut], "cut.ndjson.gz cannot be read to its end"),
        ([recording, pairs, "--beat", "nonsense"], "beat 'nonsense'"),
    ):
        assert_one_line(capsys, ["eval", "pairs", *map(str, words)], message)
    assert main(["eval", "pairs", str(recording), "missing.ndjson"]) == 2


def test_the_shared_pairs_are_all_measured(shared: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The recording is cut to the posts of the pairs, so the figures are not those of the whole."""
    labelled = shared / "labelled/ai-beat-pairs.ndjson.gz"
    wanted = {id_ for _, pair in read_pairs(labelled) for id_ in (pair.a, pair.b)}
    posts = [post for id_, post in read_posts(shared / "recordings/ai-beat.ndjson.gz").items() if id_ in wanted]
    (tmp_path / "posts.ndjson").write_bytes(b"\n".join(map(encode, posts)))
    result = printed(capsys, tmp_path / "posts.ndjson", labelled)
    assert (result["pairs"], result["measured"], len(result["drawn"])) == (405, 405, 4)
    counts = result["counts"]
    assert counts["right"] + counts["missed"] == sum(pair.same for _, pair in read_pairs(labelled))
    assert sum(drawn["right"] for drawn in result["drawn"].values()) == counts["right"]
    assert len(result["wrong"]) == counts["false"] + counts["missed"]
