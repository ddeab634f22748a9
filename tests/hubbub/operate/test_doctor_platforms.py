"""The doctor on the platforms: what it says of one that cannot be reached, and that nothing else is printed."""

from __future__ import annotations

import asyncio

import pytest

from hubbub.operate.doctor import poll
from hubbub.settings import load
from tests.hubbub.cli.conftest import hubbub
from tests.ingest.sites import Site, status

__all__ = ["hubbub"]

NOBODY = "http://127.0.0.1:1"


@pytest.mark.usefixtures("hubbub")
def test_what_a_collector_would_log_is_in_its_finding_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise ``hubbub doctor --json`` would print more than data, and secrets might be in it."""
    instances = {f"{name}.example": {"url": NOBODY} for name in ("one", "two", "three")}
    settings = load(collect={"mastodon": {"instances": instances}, "news": {"feeds": [NOBODY], "default_feeds": False}})
    mastodon, news, youtube = asyncio.run(poll(settings, ["mastodon", "news", "youtube"]))
    assert (mastodon.ok, news.ok, youtube.ok) == (False, False, None)
    assert "cannot connect to 127.0.0.1" in mastodon.fix
    assert "cannot connect to 127.0.0.1" in news.fix
    assert tuple(capsys.readouterr()) == ("", "")


@pytest.mark.usefixtures("hubbub")
async def test_a_platform_that_asks_for_time_is_no_fault_to_fix() -> None:
    site = Site()
    site.next_answers.append(status(429, {"Retry-After": "60"}))
    async with site:
        settings = load(collect={"hackernews": {"base_url": site.url}})
        (found,) = await poll(settings, ["hackernews"])
    assert (found.what, found.ok) == ("Hacker News answers, and asks for time", None)
    assert "429" in found.fix
    assert "network" not in found.fix
