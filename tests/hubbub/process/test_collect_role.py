"""What ``collect`` makes of other settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.process.collect_role import CollectRole
from hubbub.settings import SettingsError, files, load
from streams.resolve.matching.beats import BeatError
from tests.ingest.counting import now_ms

OPML = '<opml><body><outline xmlUrl="{}"/></body></opml>'


def write(file: str, text: str) -> None:
    Path(file).write_text(text)


def role(*names: str) -> CollectRole:
    return CollectRole(load(), names, kafka={}, prefix="", now_ms=now_ms)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with settings."""
    monkeypatch.chdir(tmp_path)
    write("feeds.opml", OPML.format("https://a.example/feed"))
    write("ferries.toml", 'name = "ferries"\nkeywords = ["ferry"]')
    write("hubbub.toml", "[collect]\nnames = ['news', 'hackernews']\n[collect.news]\nopml_file = 'feeds.opml'")


async def test_nothing_changes_without_a_change() -> None:
    assert role().reload(load()) == []


async def test_a_file_that_an_option_names_counts_as_a_change_of_that_option() -> None:
    one = role()
    assert Path("feeds.opml") in files(load())
    write("feeds.opml", OPML.format("https://b.example/feed"))
    assert one.reload(load()) == ["collect.news"]
    assert one.reload(load()) == []


async def test_platforms_come_and_go_unless_the_command_line_names_them() -> None:
    free, named = role(), role("hackernews")
    write("hubbub.toml", "[collect]\nnames = ['hackernews', 'lemmy']")
    assert sorted(free.reload(load())) == ["collect.lemmy", "collect.news"]
    assert named.reload(load()) == []


async def test_beats_change_by_name_and_by_content() -> None:
    one = role()
    settings = "[collect]\nnames = ['hackernews', 'news']\n[collect.news]\nopml_file = 'feeds.opml'\n"
    write("hubbub.toml", settings + "[resolve]\nbeats = ['ferries.toml']")
    assert one.reload(load()) == ["resolve.beats"]
    write("ferries.toml", 'name = "ferries"\nkeywords = ["ferry", "harbour"]')
    assert one.reload(load()) == ["resolve.beats"]


@pytest.mark.parametrize(
    ("toml", "error"),
    [
        ("[collect]\nnames = ['myspace']", SettingsError),
        ("[collect]\nnames = ['x']", SettingsError),
        ("[resolve]\nbeats = ['gardening']", BeatError),
    ],
)
async def test_settings_that_cannot_be_used_change_nothing(toml: str, error: type[Exception]) -> None:
    one, before = role(), load()
    write("hubbub.toml", toml)
    with pytest.raises(error):
        one.reload(load())
    assert one.reload(before) == []
