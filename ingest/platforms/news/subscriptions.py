"""Which feeds to read: those of the settings, of an OPML file, and of the list that comes with Hubbub.

Owns the reading of OPML (http://opml.org/spec2.opml) and the order of the feeds. Must never fetch one.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from yarl import URL

from ingest.platforms.news.config import MAX_FEEDS, NewsConfig
from transport.errors import UserError

DEFAULT_FEEDS: Final = Path(__file__).with_name("feeds.opml")
MAX_OPML_BYTES: Final = 1_048_576
"""Largest OPML file. One with a thousand feeds has some 200 kB."""


def subscribed(config: NewsConfig) -> list[str]:
    """Return the URLs of all feeds to read, each once.

    Raises:
        UserError: a file cannot be read, there is no feed, or there are too many.
    """
    feeds = [str(url) for url in config.feeds]
    if config.opml_file is not None:
        feeds += feeds_of(config.opml_file)
    if config.default_feeds:
        feeds += feeds_of(DEFAULT_FEEDS)
    feeds = list(dict.fromkeys(feeds))
    if not feeds:
        raise UserError("no feed to read: set collect.news.feeds, opml_file or default_feeds")
    if len(feeds) > MAX_FEEDS:
        raise UserError(
            f"{len(feeds)} feeds are too many: at most {MAX_FEEDS} can be read. Shorten collect.news.opml_file"
        )
    return feeds


def feeds_of(path: Path) -> list[str]:
    """Return the URLs of the feeds in an OPML file.

    Raises:
        UserError: the file cannot be read, or names no feed.
    """
    try:
        with path.open("rb") as file:
            opml = file.read(MAX_OPML_BYTES + 1)
    except OSError as error:
        raise UserError(f"collect.news.opml_file {path} cannot be read: {error.strerror}") from error
    if len(opml) > MAX_OPML_BYTES:
        raise UserError(f"collect.news.opml_file {path} is larger than {MAX_OPML_BYTES} bytes")
    outlines = _Outlines()
    outlines.feed(opml.decode("utf-8-sig", "replace"))
    if not outlines.urls:
        raise UserError(f"collect.news.opml_file {path} names no feed: no outline has a usable xmlUrl")
    return outlines.urls


class _Outlines(HTMLParser):
    """Finds the feeds. Files are often not well-formed, and this parser expands no entities that a file declares."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the URL of an outline; a folder has none."""
        if tag != "outline":
            return
        url = (dict(attrs).get("xmlurl") or "").strip()
        if url.startswith("feed:"):
            url = url.removeprefix("feed:") if url.startswith("feed:http") else f"https:{url.removeprefix('feed:')}"
        try:
            parsed = URL(url)
        except ValueError:
            return
        if parsed.scheme in {"http", "https"} and parsed.host:
            self.urls.append(url)
