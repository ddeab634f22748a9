"""Recorded feeds: feedparser's conformance and hostile cases, read and converted. Texts stay where they are."""

from __future__ import annotations

import io
import json
import tarfile
import warnings
from pathlib import Path
from typing import Any

import feedparser
import pytest

from ingest import signal
from ingest.platforms.news.convert import convert
from ingest.platforms.news.worker import MAX_ENTRIES, read_feed

WIRE = Path(__file__).parents[4].parent / "shared" / "data" / "wire" / "feeds.tar.xz"
NOW_MS = 1_704_213_600_000


@pytest.fixture(scope="module")
def feeds() -> dict[str, bytes]:
    if not WIRE.exists():
        pytest.skip(f"{WIRE} is missing")
    with tarfile.open(WIRE) as archive:
        files = [member for member in archive if member.isfile() and member.name.endswith((".xml", "/json"))]
        return {member.name: file.read() for member in files if (file := archive.extractfile(member)) is not None}


def direct(body: bytes) -> Any:
    """Read a feed with feedparser alone, with all that it does by default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return feedparser.parse(io.BytesIO(body))


def test_every_feed_is_read_with_as_many_entries_as_independent_code_finds(feeds: dict[str, bytes]) -> None:
    assert len(feeds) > 1_600
    read = entries = 0
    for name, body in feeds.items():
        found = read_feed(body)
        json.dumps(found)
        expected = direct(body).entries
        if "error" in found:
            assert not expected, name
            continue
        read += 1
        entries += len(found["entries"])
        assert len(found["entries"]) == min(len(expected), MAX_ENTRIES), name
        for entry in found["entries"]:
            became = convert({**entry, "feed": found["title"], "feed_url": "https://example.org/feed"}, NOW_MS)
            assert became.read == 1, name
            assert [dead for dead in became.unreadable if dead.reason != "wrong_shape"] == [], name
            for post in became.signals:
                signal.decode(signal.encode(post), NOW_MS)
    assert read > 1_400
    assert entries > 900


def test_titles_and_links_are_those_that_independent_code_finds(feeds: dict[str, bytes]) -> None:
    compared = 0
    for name, body in feeds.items():
        if "/wellformed/rss/" not in name and "/wellformed/atom10/" not in name:
            continue
        expected = direct(body).entries
        for ours, theirs in zip(read_feed(body).get("entries", ()), expected, strict=True):
            assert (ours["link"] or "") == theirs.get("feedburner_origlink", theirs.get("link", "")), name
            assert (ours["id"] or "") == theirs.get("id", ""), name
            compared += 1
    assert compared > 200
