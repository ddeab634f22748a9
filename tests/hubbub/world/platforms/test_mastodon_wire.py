"""Statuses of the simulated Mastodon, held against responses that real instances sent.

We send no key that Mastodon does not, and give each value a type that it has there.
"""

from __future__ import annotations

import json
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from hubbub.world import Platforms
from hubbub.world.generated import Size, generate

SESSION = "test_public_tl.yaml"
ABOUT = "test_timeline_disabled.yaml"
BEGINS_MS = 1_760_000_000_000


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, list[Any]]:
    """Return the recorded responses of the sessions that we compare with, by the end of their address."""
    archive = shared / "wire" / "mastodon.tar.xz"
    if not archive.exists():
        pytest.skip("needs ../shared/data/wire/mastodon.tar.xz")
    found: dict[str, list[Any]] = defaultdict(list)
    with tarfile.open(archive) as tar:
        for member in tar:
            if Path(member.name).name in {SESSION, ABOUT} and (file := tar.extractfile(member)) is not None:
                for interaction in yaml.load(file, yaml.CSafeLoader)["interactions"]:
                    path = interaction["request"]["uri"].partition("/api/")[2].partition("?")[0].rstrip("/")
                    found[path].append(json.loads(interaction["response"]["body"]["string"]))
    return found


@pytest.fixture
def simulated() -> Platforms:
    world = generate(11, BEGINS_MS, Size(hours=1, stories=3, chatter=30, replies=60))
    return Platforms(world, lambda: world.ends_ms)


async def get(platforms: Platforms, path: str) -> Any:
    async with platforms, aiohttp.ClientSession() as session, session.get(platforms.urls["mastodon"] + path) as got:
        assert got.headers["X-RateLimit-Limit"] == "300"
        return await got.json()


def types(values: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return the types that each key of some objects has."""
    found: dict[str, set[str]] = defaultdict(set)
    for value in values:
        for key, part in value.items():
            found[key].add(type(part).__name__)
    return found


def alike(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    """Fail if one of our objects has a key, or a value of a type, that theirs do not have."""
    real = types(theirs)
    for key, kinds in types(ours).items():
        allowed = real.get(key, set()) | (
            {"NoneType", "dict"} if key == "card" else {"NoneType"}
        )  # no recorded one has a card
        assert key in real
        assert kinds <= allowed, key


async def test_a_status_has_the_recorded_form(recorded: dict[str, list[Any]], simulated: Platforms) -> None:
    theirs = [status for page in recorded["v1/timelines/public"] for status in page]
    ours = await get(simulated, "/api/v1/timelines/public?limit=40")
    assert len(theirs) > 3
    assert len(ours) > 3
    alike(theirs, ours)
    alike([status["account"] for status in theirs], [status["account"] for status in ours])
    assert {len(status["id"]) for status in ours} == {18}


async def test_an_instance_says_where_it_streams(recorded: dict[str, list[Any]], simulated: Platforms) -> None:
    theirs = recorded["v2/instance"][0]["configuration"]
    ours = (await get(simulated, "/api/v2/instance"))["configuration"]
    assert ours.keys() <= theirs.keys()
    assert ours["urls"].keys() <= theirs["urls"].keys()
    assert ours["timelines_access"].keys() <= theirs["timelines_access"].keys()
