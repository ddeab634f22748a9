"""The feeds to read: settings, OPML files of every quality, and the list that comes with Hubbub."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.platforms.news.config import MAX_FEEDS, NewsConfig
from ingest.platforms.news.subscriptions import DEFAULT_FEEDS, MAX_OPML_BYTES, feeds_of, subscribed
from transport.errors import UserError

OPML = """<?xml version="1.0"?>
<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<opml version="1.0"><body>
  <outline text="Folder">
    <outline text="One" type="rss" xmlUrl="https://one.example.com/feed?a=1&amp;b=2" htmlUrl="https://one.example.com">
    <outline text="Two &b; not closed" TYPE="RSS" XMLURL='http://two.example.com/rss'/>
  </outline>
  <outline text="Old" xmlUrl="feed://three.example.com/atom"/>
  <outline text="Old" xmlUrl="feed:https://four.example.com/atom"/>
  <outline text="No feed" xmlUrl="file:///etc/passwd"/><outline xmlUrl="http://["/><outline xmlUrl=""/>
"""


def test_the_feeds_of_an_opml_file(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML)
    assert feeds_of(file) == [
        "https://one.example.com/feed?a=1&b=2",
        "http://two.example.com/rss",
        "https://three.example.com/atom",
        "https://four.example.com/atom",
    ]


def test_feeds_come_from_the_settings_the_file_and_the_list_each_once(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML)
    config = NewsConfig.model_validate({"feeds": ["http://two.example.com/rss"], "opml_file": str(file)})
    assert subscribed(config)[:2] == ["http://two.example.com/rss", "https://one.example.com/feed?a=1&b=2"]
    assert subscribed(config)[4:] == feeds_of(DEFAULT_FEEDS)


def test_the_list_that_comes_with_hubbub_is_of_https_feeds() -> None:
    feeds = feeds_of(DEFAULT_FEEDS)
    assert len(set(feeds)) == len(feeds) > 40
    assert all(feed.startswith("https://") for feed in feeds)


def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        feeds_of(tmp_path / "missing.opml")
    empty, large = tmp_path / "empty.opml", tmp_path / "large.opml"
    empty.write_bytes(b"\x00\xff not OPML")
    with pytest.raises(UserError, match="names no feed"):
        feeds_of(empty)
    large.write_bytes(b" " * (MAX_OPML_BYTES + 1))
    with pytest.raises(UserError, match="is larger than"):
        feeds_of(large)


def test_no_feed_and_too_many_feeds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no feed to read"):
        subscribed(NewsConfig(default_feeds=False))
    file = tmp_path / "many.opml"
    file.write_text("".join(f'<outline xmlUrl="https://{n}.example.com/"/>' for n in range(MAX_FEEDS + 1)))
    with pytest.raises(UserError, match="too many"):
        subscribed(NewsConfig(default_feeds=False, opml_file=file))
