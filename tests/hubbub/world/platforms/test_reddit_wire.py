"""Reddit's formats, held against responses that reddit.com really sent.

For each kind of thing: we send no key that Reddit does not, leave out none that it always sends, and give each the
type that it has there.
"""

from __future__ import annotations

import asyncio
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hubbub.world import Platforms, World

Things = list[dict[str, Any]]

LISTS = ("TestSubmission.test_hide_multiple_in_batches", "TestSubmission.test_unhide_multiple_in_batches")
"""Pages of 100 posts, 2026."""
OVERVIEWS = ("TestRedditorListings.test_overview__hot", "TestRedditorListings.test_overview__top")
"""Comments and crossposts outside their threads, 2026."""
REFUSED = "TestInbox.test_message__unauthorized"


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, Things]:
    """Return the recorded interactions of the sessions that we compare with, by session."""
    wanted = {*LISTS, *OVERVIEWS, REFUSED}
    archive = shared / "wire" / "reddit-praw.tar.xz"
    if not archive.exists():
        pytest.skip("needs ../shared/data/wire/reddit-praw.tar.xz")
    sessions = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            if (name := Path(member.name).stem) in wanted:
                file = tar.extractfile(member)
                assert file is not None
                sessions[name] = json.load(file)["interactions"]
    assert sessions.keys() == wanted
    return sessions


def bodies(recorded: dict[str, Things], *names: str) -> Iterator[Any]:
    for name in names:
        for interaction in recorded[name]:
            body = interaction["response"]["body"]["string"]
            if body.startswith(("{", "[")):
                yield json.loads(body)


def things(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the data of every thing of a kind, however deep."""
    if isinstance(value, dict):
        if value.get("kind") == kind:
            yield value["data"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from things(item, kind)


def types(all_data: Things) -> dict[str, set[type]]:
    seen: dict[str, set[type]] = defaultdict(set)
    for data in all_data:
        for key, value in data.items():
            seen[key].add(type(value))
    return seen


def always(all_data: Things) -> set[str]:
    return set.intersection(*(set(data) for data in all_data))


def compare(ours: Things, theirs: Things) -> None:
    assert ours
    assert theirs
    their_types = types(theirs)
    assert set(types(ours)) - set(their_types) == set(), "keys that Reddit does not send"
    assert always(theirs) - always(ours) == set(), "keys that Reddit always sends"
    wrong = {key: found for key, found in types(ours).items() if not found <= their_types[key]}
    assert wrong == {}, "types that Reddit does not use"


@pytest.fixture(scope="module")
def served(world: World) -> dict[str, Any]:
    """Return what our server answers, by what was asked for."""
    return asyncio.run(ask(world))


async def ask(world: World) -> dict[str, Any]:
    loud = max(world.posts("reddit").items, key=lambda post: len(post.thread))
    paths = {
        "new": "/r/all/new?limit=100",
        "comments": "/r/all/comments?limit=100",
        "info": f"/api/info?id={loud.native},{loud.thread[0].native}",
    }
    answers: dict[str, Any] = {}
    async with Platforms(world, lambda: world.ends_ms) as platforms, aiohttp.ClientSession() as session:
        form = {"grant_type": "password", "username": "u", "password": "p"}
        basic = {"Authorization": aiohttp.encode_basic_auth("id", "secret")}
        async with session.post(
            f"{platforms.urls['reddit']}/api/v1/access_token", data=form, headers=basic
        ) as response:
            answers["token"] = await response.json()
        for name, path in paths.items():
            headers = {"Authorization": f"bearer {answers['token']['access_token']}"}
            async with session.get(platforms.urls["reddit"] + path, headers=headers) as response:
                answers[name] = await response.json()
                answers["headers"] = response.headers.copy()
        async with session.get(platforms.urls["reddit"] + paths["new"]) as response:
            answers["refused"] = await response.json()
    return answers


def test_posts(served: dict[str, Any], recorded: dict[str, Things]) -> None:
    theirs = list(things(list(bodies(recorded, *LISTS, *OVERVIEWS)), "t3"))
    listed = [*things(served["new"], "t3"), *things(served["info"], "t3")]
    compare(listed, theirs)
    crossposts = [data for data in listed if "crosspost_parent" in data]
    compare([data["crosspost_parent_list"][0] for data in crossposts], theirs)


def test_comments_in_lists(served: dict[str, Any], recorded: dict[str, Things]) -> None:
    theirs = list(things(list(bodies(recorded, *OVERVIEWS)), "t1"))
    compare([*things(served["comments"], "t1")], theirs)


def test_listings_tokens_errors_and_headers(served: dict[str, Any], recorded: dict[str, Things]) -> None:
    theirs = list(things(list(bodies(recorded, *LISTS, *OVERVIEWS)), "Listing"))
    compare([*things(served["new"], "Listing"), *things(served["comments"], "Listing")], theirs)
    tokens = [body for body in bodies(recorded, *LISTS, *OVERVIEWS) if "access_token" in body]
    compare([served["token"]], [{k: v for k, v in token.items() if k != "refresh_token"} for token in tokens])
    refusals = [
        (json.loads(one["response"]["body"]["string"]), one["response"]["headers"])
        for one in recorded[REFUSED]
        if one["response"]["status"]["code"] == 403
    ]
    compare([served["refused"]], [body for body, _ in refusals])
    for name in ("x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"):
        pattern = re.sub(r"\d+", r"\\d+", re.escape(refusals[0][1][name][0]))
        assert re.fullmatch(pattern, served["headers"][name])
