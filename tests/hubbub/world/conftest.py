"""A world for the tests of its servers: generated once, seen at any time."""

from __future__ import annotations

from collections.abc import Callable

import praw
import pytest

from hubbub.world import World, generate


@pytest.fixture(scope="session")
def world() -> World:
    """Return the default world of one seed."""
    return generate(7, 1_760_000_000_000)


@pytest.fixture
def reddit() -> Callable[..., praw.Reddit]:
    """Return what makes a real client of a simulated Reddit, given its address."""

    def client(url: str, **settings: str) -> praw.Reddit:
        settings = {"client_id": "tests", "client_secret": "secret", "user_agent": "hubbub tests"} | settings
        return praw.Reddit(reddit_url=url, oauth_url=url, check_for_updates=False, **settings)

    return client
