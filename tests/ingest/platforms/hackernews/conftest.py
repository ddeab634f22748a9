"""A scripted Hacker News for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.ingest.sites import HackerNewsSite


@pytest.fixture
async def site() -> AsyncIterator[HackerNewsSite]:
    async with HackerNewsSite() as running:
        yield running
