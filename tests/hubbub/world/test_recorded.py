"""Recordings served again: what appears when, with which counts, and what is left out."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import praw
import pytest
import zstandard

from hubbub.world import Platforms, read_recording
from ingest.signal import Author, Community, Counts, Signal, encode
from transport.errors import UserError

T0 = 1_700_000_000_000


def signal(id_: str, observed_ms: int, likes: int | None, **changes: Any) -> bytes:
    record = Signal(
        id=id_,
        kind="post",
        platform=id_.partition(":")[0],
        thread=id_,
        author=Author("somebody"),
        community=Community("science", 1234),
        title="A title",
        url="https://example.com/a",
        counts=Counts(likes=likes, replies=2, like_ratio=0.9),
        created_ms=T0,
        observed_ms=observed_ms,
    )
    return encode(msgspec.structs.replace(record, **changes)) + b"\n"


def reply(id_: str, thread: str) -> bytes:
    return signal(id_, T0 + 4000, 1, kind="reply", thread=thread, title=None, text="I see", url=None)


RECORDING = b"".join(
    (
        signal("reddit:t3_b", T0 + 9000, 30),
        signal("reddit:t3_b", T0 + 3000, 10),
        signal("reddit:t3_a", T0 + 1000, 5),
        signal("hackernews:17", T0 + 2000, None),
        reply("reddit:t1_c", "reddit:t3_b"),
        reply("reddit:t1_d", "reddit:t3_elsewhere"),
        signal("x:99", T0, 1),
        signal("reddit:t3_n", T0, 1, community=None),
        signal("hackernews:abc", T0, 1),
        signal("reddit:t3_r", T0, 1, kind="repost", thread="reddit:t3_a"),
        b"\n",
        b"{}\n",
    )
)


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".ndjson", bytes), (".ndjson.gz", gzip.compress), (".ndjson.zst", zstandard.ZstdCompressor().compress)],
)
def test_a_post_appears_when_it_was_seen_with_the_counts_last_seen(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"recording{suffix}"
    path.write_bytes(pack(RECORDING))
    world, left_out = read_recording(path)
    assert len(world) == 4
    assert (world.begins_ms, world.ends_ms) == (T0 + 1000, T0 + 9000)
    assert [post.native for post in world.posts("reddit").items] == ["t3_a", "t3_b"]
    post = world.posts("reddit").items[1]
    assert not post.there(T0 + 2999)
    assert post.there(T0 + 3000)
    assert [post.totals(T0 + at_ms).likes for at_ms in (3000, 8999, 9000, 10**9)] == [10, 10, 30, 30]
    assert [one.signal_id for one in world.replies("reddit").items] == ["reddit:t1_c"]
    assert world.communities["science"].members == 1234
    assert world.highest(T0 + 1999) == 0
    assert world.highest(T0 + 2000) == 17
    assert left_out == {
        "platform x": 1,
        "no subreddit": 1,
        "not an id of its platform": 1,
        "kind repost": 1,
        "reply to a post that is not in the file": 1,
        "not a signal: wrong_shape": 1,
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.ndjson", b""),
        ("elsewhere.ndjson", signal("x:99", T0, 1)),
        ("missing.ndjson", None),
        ("plain.gz", RECORDING),
        ("plain.zst", RECORDING),
        ("cut.gz", gzip.compress(RECORDING)[:-20]),
    ],
)
def test_what_cannot_be_served_is_an_error(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        read_recording(tmp_path / name)


async def test_the_front_page_comes_back_as_it_was_recorded(shared: Path, reddit: Callable[..., praw.Reddit]) -> None:
    path = shared / "recordings" / "reddit-front-page.ndjson.gz"
    if not path.exists():
        pytest.skip("needs ../shared/data/recordings/reddit-front-page.ndjson.gz")
    world, left_out = read_recording(path)
    assert left_out == {}
    now_ms = world.begins_ms + 36 * 3_600_000
    last: dict[str, dict[str, Any]] = {}
    seen: Counter[str] = Counter()
    with gzip.open(path) as lines:
        for record in map(msgspec.json.decode, lines):
            if record["observed_ms"] <= now_ms:
                seen[record["id"]] += 1
                if record["observed_ms"] >= last.get(record["id"], record)["observed_ms"]:
                    last[record["id"]] = record
    loud = sorted(last, key=lambda id_: last[id_]["counts"]["likes"], reverse=True)[:100]

    def ask(url: str) -> list[Any]:
        return list(reddit(url).info(fullnames=[id_.partition(":")[2] for id_ in loud]))

    async with Platforms(world, lambda: now_ms) as platforms:
        found = await asyncio.to_thread(ask, platforms.urls["reddit"])
    assert max(seen.values()) > 1
    for id_, post in zip(loud, found, strict=True):
        counts = last[id_]["counts"]
        assert (post.score, post.num_comments) == (counts["likes"], counts["replies"])
        assert post.upvote_ratio == counts["like_ratio"]
        assert post.title == last[id_]["title"]
