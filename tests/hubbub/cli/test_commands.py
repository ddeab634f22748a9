"""The command line as a new user meets it: help, mistakes, exit codes, and no stack traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ingest.registry import PLATFORMS
from tests.hubbub.cli.command_tree import COMMANDS, LONG_RUNNING, example
from tests.hubbub.cli.conftest import Run


def test_the_command_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub", "nonsense"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_commands_of_the_contract_exist() -> None:
    words = {" ".join(path) for path in COMMANDS}
    assert words >= {
        "demo", "up", "collect", "resolve", "score", "serve", "collectors", "topics create", "topics check", "replay",
        "scores", "explain", "dead-letters", "doctor",
        "eval stories", "eval spikes", "eval pairs", "eval figures", "eval links",
        "stories merge", "stories split", "stories pin", "stories rename", "stories block", "stories list",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example_that_parses(path: tuple[str, ...], hubbub: Run) -> None:
    assert hubbub(*path, "--help").returncode == 0
    COMMANDS[path].make_context("hubbub", example(path)[len(path) :])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_that_prints_data_has_json(path: tuple[str, ...]) -> None:
    options = {name for parameter in COMMANDS[path].params for name in parameter.opts}
    assert ("--json" in options) is (path not in LONG_RUNNING - {("demo",)})


def test_the_version_is_that_of_the_package(hubbub: Run) -> None:
    done = hubbub("--version")
    assert (done.returncode, done.stdout) == (0, f"hubbub {version('hubbub')}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell: str, tmp_path: Path) -> None:
    """Install completion in an empty home; then ask for completions as the installed script does."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "True"}
    command = Path(sys.executable).with_name("hubbub")
    subprocess.run([command, "--install-completion", shell], env=home, check=True, capture_output=True, timeout=60)
    scripts = [file for file in tmp_path.rglob("*") if file.is_file() and "_HUBBUB_COMPLETE" in file.read_text()]
    assert scripts, f"{shell} has a script"
    asked = {
        "bash": {"COMP_WORDS": "hubbub dead", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "hubbub dead"},
        "fish": {"_TYPER_COMPLETE_ARGS": "hubbub dead", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [command],
        env={**home, **asked, "_HUBBUB_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "dead-letters" in done.stdout, done.stderr


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
def test_wrong_usage_has_a_message_and_exits_with_2(words: list[str], hubbub: Run) -> None:
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
        (["scores"], {"HUBBUB_KAFKA": "xyz"}, "hubbub: HUBBUB_KAFKA is not JSON"),
        (["scores"], {"HUBBUB_RESOLVE__BEATS": "ai"}, "hubbub: HUBBUB_RESOLVE__BEATS is not JSON"),
        (["scores"], {"hubbub_collect": "{"}, "hubbub: hubbub_collect is not JSON"),
        (["collect", "myspace"], {}, "no such collector: myspace"),
        (["collect", "x"], {}, "x needs"),
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
    assert {row["name"]: row["needs_account"] for row in rows}.items() >= {"hackernews": False, "reddit": False}.items()
    assert [row["on"] for row in rows if row["name"] == "hackernews"] == [True]


def test_a_file_of_figures_that_cannot_be_used_is_one_line(hubbub: Run, tmp_path: Path) -> None:
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
        assert (says, False) in findings_of_doctor(hubbub, file, says)
    file.write_text('[[figure]]\nid = "me"\nname = "My Mayor"\ntier = "C"\n')
    assert ("is valid", True) in findings_of_doctor(hubbub, file, "is valid")


def findings_of_doctor(hubbub: Run, file: Path, says: str) -> list[tuple[str, bool]]:
    """Return the doctor's findings on ``file`` that contain ``says``, and whether they are good."""
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


def test_a_collector_or_a_beat_that_does_not_exist_is_one_line(hubbub: Run) -> None:
    for command in (["collect"], ["up"]):
        done = hubbub(*command, HUBBUB_COLLECT__NAMES='["foo"]')
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert f"no such collector: foo; there are: {', '.join(sorted(PLATFORMS))}" in done.stderr
    found = hubbub("doctor", "--no-platforms", "--json", HUBBUB_RESOLVE__BEATS='["nope.toml"]').stdout
    assert [f["what"] for f in map(json.loads, found.splitlines()) if "nope.toml" in f["fix"]] == ["beat 'nope.toml'"]
