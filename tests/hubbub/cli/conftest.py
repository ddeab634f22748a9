"""The command line in this process, in an empty folder."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from hubbub.cli import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    def __call__(self, *words: str, **environment: str) -> Done: ...


@pytest.fixture
def hubbub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in a folder with empty files that the examples name, with none of this machine's settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording.ndjson.gz").write_bytes(gzip.compress(b""))
    for empty in ("pairs.ndjson", "headlines.tsv", "links.tsv"):
        (tmp_path / empty).touch()
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
