"""``python -m hubbub.world`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.clock import WorldClock
from hubbub.world import Size, generate, truth
from hubbub.world.__main__ import main
from hubbub.world.servers import SIMULATORS
from hubbub.world.truth import Truth

CLOCK = WorldClock(1_760_000_000_000, 1_760_000_000_000, 0.0)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run the process; yield it and the JSON that it prints when it is ready."""
    command = [sys.executable, "-m", "hubbub.world", *arguments]
    environment = os.environ | {"PYTHONHASHSEED": "random"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (loopback)
        body: bytes = response.read()
        return body


def test_it_serves_the_world_of_its_seed_and_ends_on_a_signal(tmp_path: Path) -> None:
    at_ms = CLOCK.origin_ms + 5 * 3_600_000
    still = WorldClock(at_ms, 0, 0.0)
    out = tmp_path / "truth.json"
    options = ("--seed", "5", "--clock", str(still), "--truth-out", str(out), "--stories", "6")
    expected = truth(generate(5, at_ms, Size(stories=6), SIMULATORS), at_ms)
    with running(*options) as (process, ready):
        assert ready["begins_ms"] == at_ms
        assert ready["clock"] == str(still)
        assert msgspec.json.decode(get(f"{ready['hackernews_url']}/_world/truth"), type=Truth) == expected
        assert get(f"{ready['hackernews_url']}/v0/maxitem.json") == b"0"
        process.terminate()
        assert process.wait(timeout=5) == 0
    assert msgspec.json.decode(out.read_bytes(), type=Truth) == expected


def test_a_taken_port_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with running("--seed", "5") as (process, ready):
        port = ready["reddit_url"].rpartition(":")[2]
        assert main(["--reddit-port", port]) == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert port in said


@pytest.mark.parametrize("arguments", [["--clock", "yesterday"], ["--seed", "x"], ["--frobnicate"]])
def test_wrong_usage_is_an_exit_code_of_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_recording_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.ndjson").touch()
    for name in ("missing.ndjson", "empty.ndjson"):
        assert main(["--data", str(tmp_path / name)]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert name in said
