"""Options of the news collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl

from ingest.collector import CollectorConfig, Positive, Whole

MAX_FEEDS = 300
"""Most feeds. The ids of their articles must fit into one cursor, a record of at most 1 MB."""


class NewsConfig(CollectorConfig):
    """How to read feeds. Seconds are real seconds."""

    feeds: Annotated[tuple[HttpUrl, ...], Field(max_length=MAX_FEEDS)] = ()
    """Feeds to read, besides the list that comes with Hubbub: RSS, Atom or JSON Feed."""
    default_feeds: bool = True
    """Whether to read that list: outlets, laboratories, researchers and arXiv, all on AI."""
    opml_file: Path | None = None
    """A file of feeds that a feed reader has exported (OPML); they are read, too."""
    requests_per_minute: Positive = 120.0
    """At most this many requests in any minute, to all sites together."""
    max_concurrent_requests: Whole = 8
    """At most this many feeds are polled at the same time."""
    poll_min_seconds: Positive = 120.0
    """How often to poll a feed that brings news each time, at most."""
    poll_max_seconds: Positive = 1800.0
    """How often to poll a feed that brings none, at least; also the longest wait that a feed may ask for."""
    failed_max_seconds: Positive = 21_600.0
    """Longest wait before polling a feed again that has failed several times in a row."""
