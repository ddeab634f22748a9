"""When settings are read again, what is said, and that wrong ones change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from hubbub.process.reload import Reload
from hubbub.settings import Settings, load
from tests.eventually import eventually
from transport.errors import UserError

Lines = list[MutableMapping[str, Any]]


def write(file: str, text: str) -> None:
    Path(file).write_text(text)


def remove(file: Path) -> None:
    file.unlink()


class Role:
    """A role that remembers the settings it was given."""

    def __init__(self) -> None:
        self.given: list[Settings] = []
        self.problem: str | None = None

    def reload(self, settings: Settings) -> Collection[str]:
        if self.problem is not None:
            raise UserError(self.problem)
        changed = [] if self.given and self.given[-1] == settings else ["resolve.beats"]
        self.given.append(settings)
        return changed


class Sleeps:
    """Sleep that ends when the test says so."""

    def __init__(self) -> None:
        self._ends: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, _: float) -> None:
        await self._ends.get()

    async def end(self, times: int = 1) -> None:
        for _ in range(times):
            self._ends.put_nowait(None)
            await eventually(self._ends.empty)
            await asyncio.sleep(0)


class Watched:
    """A running ``Reload``, and all that a test needs around it."""

    def __init__(self, role: object, sleeps: Sleeps, lines: Lines) -> None:
        self.sleeps = sleeps
        self.lines = lines
        self.adopted: list[Settings] = []
        self.reload = Reload(load(), role, "score", read=load, adopt=self.adopted.append, sleep=sleeps)

    def said(self) -> list[tuple[str, str]]:
        """Return the lines: the event, and the value beside it."""
        return [
            (line["event"], next(str(v) for k, v in line.items() if k not in {"event", "log_level"}))
            for line in self.lines
        ]

    async def ask(self) -> None:
        """Ask, and wait until the settings were read."""
        before = len(self.adopted), len(self.lines)
        self.reload.ask()
        await eventually(lambda: (len(self.adopted), len(self.lines)) != before)


@pytest.fixture(autouse=True)
def beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with settings that name a beat; return the file of the beat."""
    monkeypatch.chdir(tmp_path)
    Path("hubbub.toml").write_text('[resolve]\nbeats = ["ferries.toml"]\n')
    Path("ferries.toml").write_text('name = "ferries"')
    return tmp_path / "ferries.toml"


@asynccontextmanager
async def watched(role: object) -> AsyncIterator[Watched]:
    with capture_logs() as lines:
        watched = Watched(role, Sleeps(), lines)
        task = asyncio.create_task(watched.reload.watch())
        await eventually(lambda: watched.adopted)
        try:
            yield watched
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until_read(role: Role, times: int) -> None:
    await eventually(lambda: len(role.given) == times)


async def test_a_file_that_changes_is_read_once_it_is_the_same_at_two_checks() -> None:
    role = Role()
    async with watched(role) as reload:
        await reload.sleeps.end(3)
        assert len(role.given) == 1, "nothing has changed"
        write("ferries.toml", 'name = "ferries"\nkeywords = [')
        await reload.sleeps.end()
        write("ferries.toml", 'name = "ferries"\nkeywords = ["ferry"]')
        await reload.sleeps.end()
        assert len(role.given) == 1, "it may still be written"
        await reload.sleeps.end()
        await until_read(role, 2)
        await reload.sleeps.end(3)
        assert len(role.given) == 2


async def test_a_file_that_is_replaced_goes_and_comes_is_noticed(beats: Path) -> None:
    role = Role()
    async with watched(role) as reload:
        remove(beats)
        await reload.sleeps.end(2)
        await until_read(role, 2)
        write("ferries.toml", 'name = "ferries"')
        await reload.sleeps.end(2)
        await until_read(role, 3)
        again = beats.with_name("new")
        again.write_text('name = "FERRIES"')
        again.replace(beats)
        await reload.sleeps.end(2)
        await until_read(role, 4)


async def test_a_request_reads_the_settings_at_once_and_says_what_changed() -> None:
    role = Role()
    async with watched(role) as reload:
        reload.lines.clear()
        write("hubbub.toml", '[resolve]\nbeats = ["ai"]\n')
        await reload.ask()
        await reload.ask()
        assert role.given[-1].resolve.beats == ("ai",)
        assert reload.said() == [("settings reloaded", "resolve.beats"), ("settings reloaded", "nothing")]


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[resolve]\nbeat = 1", "resolve.beat: Extra inputs are not permitted"),
        ("[resolve", "hubbub.toml cannot be read"),
        ("[collect.hackernews]\npoll_seconds = -1", "collect.hackernews.poll_seconds: "),
    ],
)
async def test_wrong_settings_are_one_line_and_the_old_ones_stay(toml: str, problem: str) -> None:
    role = Role()
    async with watched(role) as reload:
        reload.lines.clear()
        write("hubbub.toml", toml)
        await reload.sleeps.end(6)
        ((event, said),) = reload.said()
        assert event == "settings not reloaded; the old ones stay in use"
        assert problem in said
        assert "\n" not in said
        assert REGISTRY.get_sample_value("hubbub_settings_last_reload_successful") == 0
        assert len(role.given) == 1
        write("hubbub.toml", "")
        await reload.sleeps.end(2)
        await until_read(role, 2)
        assert REGISTRY.get_sample_value("hubbub_settings_last_reload_successful") == 1


async def test_settings_that_a_role_refuses_are_read_again_when_the_file_it_lacks_comes() -> None:
    role = Role()
    async with watched(role) as reload:
        reload.lines.clear()
        role.problem = "beat 'trains.toml': No such file or directory"
        write("hubbub.toml", '[resolve]\nbeats = ["trains.toml"]\n')
        await reload.ask()
        assert reload.said() == [("settings not reloaded; the old ones stay in use", role.problem)]
        role.problem = None
        write("trains.toml", 'name = "trains"')
        await reload.sleeps.end(3)
        await until_read(role, 2)


async def test_what_is_read_at_the_start_alone_needs_a_restart_and_is_said_once() -> None:
    async with watched(object()) as reload:
        write("hubbub.toml", 'metrics_port = 9999\n[kafka]\ntopic_prefix = "x"\n[score]\ntick_ms = 500\n')
        await reload.ask()
        await reload.ask()
        late = ("settings changed that are read at the start alone; restart this role", "kafka, metrics_port, score")
        assert reload.said() == [("settings reloaded", "nothing"), late, ("settings reloaded", "nothing")]
        write("hubbub.toml", "")
        await reload.ask()
        assert len(reload.lines) == 4, "all is again as it was at the start"


async def test_the_log_level_changes_and_new_secrets_are_adopted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    role = Role()
    async with watched(role) as reload:
        monkeypatch.setenv("HUBBUB_LOG_LEVEL", "debug")
        monkeypatch.setenv("HUBBUB_COLLECT__STACKEXCHANGE__KEY", "a-new-key")
        role.problem = "no"
        await reload.ask()
        assert reload.adopted[-1].log_level == "debug"
        assert "a-new-key" not in str(reload.said())


async def test_a_change_between_the_start_and_the_watch_is_not_missed() -> None:
    role = Role()
    with capture_logs() as lines:
        reload = Watched(role, Sleeps(), lines)
        write("hubbub.toml", '[resolve]\nbeats = ["ai"]\n')
        task = asyncio.create_task(reload.reload.watch())
        await until_read(role, 1)
        task.cancel()
    assert role.given[-1].resolve.beats == ("ai",)
