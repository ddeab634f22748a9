"""Recorded responses of X: all of them convert, and the signals say what the recordings say."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import signal
from ingest.platforms.x.answers import posts_of, refusal
from ingest.platforms.x.convert import authors, convert
from transport.http import Response

yaml = pytest.importorskip("yaml", reason="the recordings are YAML")

NOW_MS = 1_764_504_000_000


@pytest.fixture(scope="module")
def responses(shared: Path) -> list[tuple[str, int, object]]:
    """Return the recorded responses of the API v2: URL, status, parsed body."""
    recordings = shared / "wire" / "x-tweepy.tar.xz"
    if not recordings.is_file():
        pytest.skip("needs ../shared/data/wire/x-tweepy.tar.xz")
    found: list[tuple[str, int, object]] = []
    with tarfile.open(recordings) as archive:
        for member in archive:
            if member.name.endswith(".yaml") and (file := archive.extractfile(member)) is not None:
                found.extend(_responses(yaml.safe_load(file)))
    return found


def _responses(cassette: dict[str, list[dict[str, dict[str, object]]]]) -> Iterator[tuple[str, int, object]]:
    for interaction in cassette["interactions"]:
        url, response = str(interaction["request"]["uri"]), interaction["response"]
        if "/2/" not in url:
            continue
        body = response["body"]["string"]  # type: ignore[index]
        raw = body.encode() if isinstance(body, str) else body
        raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
        yield url, int(response["status"]["code"]), json.loads(raw)  # type: ignore[index]


def is_post(item: object) -> bool:
    return isinstance(item, dict) and {"id", "text"} <= item.keys() and "event_type" not in item


def test_every_recorded_post_is_a_signal_that_says_the_same(responses: list[tuple[str, int, object]]) -> None:
    read = 0
    for url, code, body in responses:
        assert isinstance(body, dict)
        data = body.get("data")
        items: list[Any] = [item for item in (data if isinstance(data, list) else [data]) if is_post(item)]
        if not items or code >= 300:
            continue
        posts = posts_of(body, NOW_MS, url)
        became = [convert(item, NOW_MS, authors(posts.users)) for item in posts.items]
        assert [one.unreadable for one in became] == [[]] * len(items)
        for item, one in zip(items, became, strict=True):
            (found,) = one.signals
            signal.decode(signal.encode(found), NOW_MS)
            assert found.id == f"x:{item['id']}"
            text = str(item["text"]).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            assert (found.text or "") == text
            metrics = item.get("public_metrics", {})
            assert found.counts.likes == metrics.get("like_count")
            assert found.counts.replies == metrics.get("reply_count")
            assert 1_142_899_200_000 < found.created_ms < NOW_MS
            read += 1
        meta = body.get("meta")
        if isinstance(meta, dict) and "result_count" in meta:
            assert meta["result_count"] >= len(items)
            assert posts.next_token == meta.get("next_token")
    assert read > 500


def test_recorded_refusals_are_errors_of_the_loop(responses: list[tuple[str, int, object]]) -> None:
    for url, code, body in responses:
        refused = refusal(Response(code, {}, json.dumps(body).encode()), url)
        assert (refused is None) == (200 <= code < 300)
