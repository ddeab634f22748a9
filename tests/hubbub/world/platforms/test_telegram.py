"""The simulated Telegram: its pages hold what the world has, page by page, and can be read back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from aiohttp import ClientSession

from hubbub.world.faults import Faults
from hubbub.world.generated import Size, generate
from hubbub.world.platforms.telegram.html import decode, encode
from hubbub.world.platforms.telegram.server import CHANNELS, _short
from hubbub.world.servers import Platforms
from ingest.platforms.telegram.page import read_page

WORLD = generate(11, 1_760_000_000_000, Size(hours=2, stories=12, chatter=400, replies=60), ["telegram"])


async def test_paging_back_shows_every_message_once() -> None:
    async with Platforms(WORLD, lambda: WORLD.ends_ms, faults=Faults()) as platforms, ClientSession() as session:
        for channel in CHANNELS:
            found: list[str] = []
            before = ""
            while True:
                async with session.get(f"{platforms.urls['telegram']}/s/{channel}{before}") as response:
                    messages = read_page(await response.read()).messages
                if not messages:
                    break
                names = [str(message["post"]) for message in messages]
                assert all(int(a.split("/")[1]) < int(b.split("/")[1]) for a, b in pairwise(names))
                found = names + found
                before = f"?before={names[0].split('/')[1]}"
            posts = WORLD.posts("telegram", channel).items
            assert set(found) == {post.native for post in posts if not post.gone(WORLD.ends_ms)}
            assert len(found) == len(set(found)) > 5


async def test_an_unknown_channel_has_no_preview() -> None:
    async with (
        Platforms(WORLD, lambda: WORLD.ends_ms) as platforms,
        ClientSession() as session,
        session.get(f"{platforms.urls['telegram']}/s/nothing", allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (302, "/nothing")


def test_a_page_can_be_read_back_and_the_collector_reads_the_same() -> None:
    message = {"post": "aiwire/1", "time": "2026-01-02T03:04:05+00:00", "text": "a <b>\n& 'c'", "views": "1.2K"}
    page = {"title": 'A "title"', "subscribers": "41K", "messages": [message | {"reactions": ["3", "1.5K"]}, message]}
    assert decode(encode(page)) == page
    read = read_page(encode(page))
    assert read.messages == page["messages"]
    assert (read.channel.title, read.channel.subscribers) == ('A "title"', "41K")


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1K"),
        (1_299, "1.29K"),
        (41_260, "41.2K"),
        (999_999, "999K"),
        (1_270_000, "1.27M"),
    ],
)
def test_counts_are_rounded_down_to_three_digits(number: int, written: str) -> None:
    assert _short(number) == written
