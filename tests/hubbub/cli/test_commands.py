"""The command line as a stranger meets it: help, mistakes, exit codes, and no stack traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import click
import pytest
import typer

from hubbub.cli import app, main


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its words."""
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    def __call__(self, *words: str, **environment: str) -> Done: ...


@pytest.fixture
def hubbub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder, with none of this machine's settings."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("HUBBUB_")]:
        monkeypatch.delenv(variable)

    def run(*words: str, **environment: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = main(words)
            return Done(code, *capsys.readouterr())

    return run


def test_the_command_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub", "nonsense"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_contract_s_commands_are_there() -> None:
    words = {" ".join(path) for path in ALL}
    assert words >= {
        "demo", "up", "collect", "resolve", "score", "serve", "collectors", "topics create", "topics check", "replay",
        "scores", "explain", "dead-letters", "doctor", "eval stories",
        "stories merge", "stories split", "stories pin", "stories rename", "stories block", "stories list",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example_that_parses(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording.ndjson.gz").touch()
    command = ALL[path]
    assert command.help
    example = (command.epilog or "").removeprefix("Example: ").split()
    while "=" in example[0]:
        del example[0]
    assert example[: len(path) + 1] == ["hubbub", *path]
    command.make_context("hubbub", example[len(path) + 1 :])


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["replay"],
        ["scores", "--top", "0"],
        ["scores", "--top", "many"],
        ["replay", "missing.ndjson"],
        ["replay", __file__, "--speed", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_exits_with_2(words: list[str], hubbub: Run) -> None:
    done = hubbub(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


@pytest.mark.parametrize(
    ("words", "environment", "told"),
    [
        (["scores"], {"HUBBUB_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "no broker answers at 127.0.0.1:1"),
        (["scores"], {"HUBBUB_KAFKA__PARTITIONZ": "3"}, "kafka.partitionz"),
        (["scores"], {"HUBBUB_KAFKA__PARTITIONS": "many"}, "kafka.partitions"),
        (["scores"], {"HUBBUB_NOTHING": "3"}, "no such setting: HUBBUB_NOTHING"),
        (["collect", "myspace"], {}, "no such collector: myspace"),
        (["collect", "reddit"], {}, "reddit needs"),
        (["resolve"], {"HUBBUB_RESOLVE__BEATS": '["gardening"]'}, "gardening"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    words: list[str], environment: dict[str, str], told: str, hubbub: Run
) -> None:
    done = hubbub(*words, **environment)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_settings_come_from_the_file_and_the_environment_wins(tmp_path: Path, hubbub: Run) -> None:
    (tmp_path / "hubbub.toml").write_text('[kafka]\nbootstrap_servers = "127.0.0.1:1"\n[collect]\nnames = ["reddit"]\n')
    assert "127.0.0.1:1;" in hubbub("scores").stderr
    elsewhere = hubbub("scores", HUBBUB_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:2")
    assert "127.0.0.1:2;" in elsewhere.stderr
    (tmp_path / "hubbub.toml").write_text("[kafka]\nbootstrap = 1\n")
    assert "kafka.bootstrap" in hubbub("scores").stderr
    (tmp_path / "hubbub.toml").write_text("[kafka\n")
    broken = hubbub("scores")
    assert (broken.returncode, "hubbub.toml" in broken.stderr) == (1, True)


def test_collectors_as_json_are_one_object_a_line(hubbub: Run) -> None:
    rows = [json.loads(line) for line in hubbub("collectors", "--json").stdout.splitlines()]
    assert {row["name"]: row["needs_account"] for row in rows} == {"hackernews": False, "reddit": True}
    assert [row["on"] for row in rows if row["name"] == "hackernews"] == [True]


def test_a_file_of_own_figures_that_cannot_be_used_is_told_in_one_line(hubbub: Run, tmp_path: Path) -> None:
    file = tmp_path / "figures.toml"
    for text, says in (
        (None, "No such file or directory"),
        ('[[figure]]\nid = "a"\nname = "A"\ntier = "Z"\n', "Invalid enum value 'Z'"),
    ):
        if text is not None:
            file.write_text(text)
        done = hubbub("score", HUBBUB_SCORE__FIGURES_FILE=str(file))
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert says in done.stderr
        assert (says, False) in doctors_word(hubbub, file, says)
    file.write_text('[[figure]]\nid = "me"\nname = "My Mayor"\ntier = "C"\n')
    assert ("is understood", True) in doctors_word(hubbub, file, "is understood")


def doctors_word(hubbub: Run, file: Path, says: str) -> list[tuple[str, bool]]:
    """Return what the doctor finds of the file ``file`` that says ``says``."""
    broker = "127.0.0.1:1"
    done = hubbub(
        "doctor",
        "--no-platforms",
        "--json",
        HUBBUB_KAFKA__BOOTSTRAP_SERVERS=broker,
        HUBBUB_SCORE__FIGURES_FILE=str(file),
    )
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    return [(says, finding["ok"]) for finding in findings if says in finding["what"] + finding["fix"]]


def test_the_doctor_says_what_is_wrong_and_exits_with_1(hubbub: Run) -> None:
    done = hubbub("doctor", "--no-platforms", "--json", HUBBUB_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [(finding["ok"], "broker" in finding["what"]) for finding in findings] == [(True, False), (False, True)]
    assert "HUBBUB_KAFKA__BOOTSTRAP_SERVERS" in findings[1]["fix"]


def test_a_collector_or_a_beat_that_does_not_exist_is_told_in_one_line(hubbub: Run) -> None:
    for command in (["collect"], ["up"]):
        done = hubbub(*command, HUBBUB_COLLECT__NAMES='["foo"]')
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert "no such collector: foo; there are: hackernews, reddit" in done.stderr
    found = hubbub("doctor", "--no-platforms", "--json", HUBBUB_RESOLVE__BEATS='["nope.toml"]').stdout
    assert [f["what"] for f in map(json.loads, found.splitlines()) if "nope.toml" in f["fix"]] == ["beat 'nope.toml'"]
