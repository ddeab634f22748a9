"""The command line as a stranger meets it: help, mistakes, exit codes, and no stack traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from hubbub.cli import app


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its words."""
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


def hubbub(*words: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its own process, with none of this machine's settings."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("HUBBUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hubbub", *words],
        cwd=folder,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_contract_s_commands_are_there() -> None:
    words = {" ".join(path) for path in ALL}
    assert words >= {
        "demo", "up", "collect", "resolve", "score", "serve", "collectors", "topics create", "topics check", "replay",
        "scores", "explain", "dead-letters", "doctor",
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
        ["replay", "README.md", "--speed", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_exits_with_2(words: list[str]) -> None:
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
    words: list[str], environment: dict[str, str], told: str, tmp_path: Path
) -> None:
    done = hubbub(*words, folder=tmp_path, **environment)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_settings_come_from_the_file_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text('[kafka]\nbootstrap_servers = "127.0.0.1:1"\n[collect]\nnames = ["reddit"]\n')
    assert "127.0.0.1:1;" in hubbub("scores", folder=tmp_path).stderr
    elsewhere = hubbub("scores", folder=tmp_path, HUBBUB_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:2")
    assert "127.0.0.1:2;" in elsewhere.stderr
    (tmp_path / "hubbub.toml").write_text("[kafka]\nbootstrap = 1\n")
    assert "kafka.bootstrap" in hubbub("scores", folder=tmp_path).stderr
    (tmp_path / "hubbub.toml").write_text("[kafka\n")
    broken = hubbub("scores", folder=tmp_path)
    assert (broken.returncode, "hubbub.toml" in broken.stderr) == (1, True)


def test_collectors_as_json_are_one_object_a_line() -> None:
    rows = [json.loads(line) for line in hubbub("collectors", "--json").stdout.splitlines()]
    assert {row["name"]: row["needs_account"] for row in rows} == {"hackernews": False, "reddit": True}
    assert [row["on"] for row in rows if row["name"] == "hackernews"] == [True]


def test_the_doctor_says_what_is_wrong_and_exits_with_1() -> None:
    done = hubbub("doctor", "--no-platforms", "--json", HUBBUB_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [(finding["ok"], "broker" in finding["what"]) for finding in findings] == [(True, False), (False, True)]
    assert "HUBBUB_KAFKA__BOOTSTRAP_SERVERS" in findings[1]["fix"]
