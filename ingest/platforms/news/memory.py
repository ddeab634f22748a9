"""What is known of each feed: where it is now, which version was read last, and which articles it had.

Owns the cursor, and what makes an article news: its id is new, or its words have changed. Bounded by the number of
feeds and of articles. Must never poll.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Final

import msgspec

from ingest.batch import Cursor, Signals, as_json
from ingest.page_key import page_key
from ingest.platforms.news.client import Condition
from ingest.signal import Signal

MAX_ABSENT: Final = 50
"""Articles of a feed that are remembered after it dropped them: some servers behind one name lag behind others."""
MAX_ARTICLES: Final = 24_000
"""Most articles that are remembered, in a cursor of some 700 kB. One that is not is at worst observed twice."""
KEY_CHARS: Final = 8
WORDS_CHARS: Final = 4


class _Feed(msgspec.Struct, omit_defaults=True):
    """``articles``: key, digest of the words and creation time in seconds, written together, the oldest first."""

    moved_to: str | None = None
    etag: str | None = None
    modified: str | None = None
    gone: bool = False
    articles: list[str] = []


class _Cursor(msgspec.Struct):
    feeds: dict[str, _Feed] = {}


class FeedMemory:
    """The memory of ``feeds``; what ``cursor`` says about others is dropped."""

    def __init__(self, feeds: Iterable[str], cursor: Cursor | None) -> None:
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._feeds = {feed: saved.feeds.get(feed) or _Feed() for feed in feeds}
        self._articles = {
            feed: {known[:KEY_CHARS]: known[KEY_CHARS:] for known in self._feeds[feed].articles} for feed in self._feeds
        }
        self._feed_of = {key: feed for feed, articles in self._articles.items() for key in articles}

    def cursor(self) -> Cursor:
        """Return all of it, as JSON."""
        for feed, articles in self._articles.items():
            self._feeds[feed].articles = [key + known for key, known in articles.items()]
        return msgspec.json.encode(_Cursor(self._feeds))

    def alive(self) -> list[str]:
        """Return the feeds that have not said that they are gone."""
        return [feed for feed, known in self._feeds.items() if not known.gone]

    def address(self, feed: str) -> str:
        """Return where ``feed`` is: where it was moved to, else where the settings say."""
        return self._feeds[feed].moved_to or feed

    def condition(self, feed: str) -> Condition:
        """Return what to ask the server of ``feed`` with."""
        return Condition(self._feeds[feed].etag, self._feeds[feed].modified)

    def found_at(self, feed: str, url: str, condition: Condition, *, for_good: bool) -> None:
        """Record that a version of ``feed`` was read at ``url``, and whether to ask there from now on."""
        known = self._feeds[feed]
        known.etag, known.modified = condition.etag, condition.modified
        if for_good:
            known.moved_to = None if url == feed else url

    def ask_at_first_address(self, feed: str) -> None:
        """Forget where ``feed`` was moved to."""
        known = self._feeds[feed]
        if known.moved_to is not None:
            known.moved_to = known.etag = known.modified = None

    def gone(self, feed: str) -> None:
        """Record that ``feed`` is gone for good."""
        self._feeds[feed] = _Feed(gone=True)
        for key in self._articles[feed]:
            self._feed_of.pop(key, None)
        self._articles[feed] = {}

    def news(self, feed: str, entries: Iterable[tuple[object, Signals]]) -> Signals:
        """Return what is new of a feed: articles that no feed had, and those of its own whose words have changed.

        ``entries``: all that it has now, each with what became of it, the oldest first. An article is as old as it was
        when it was first seen, whatever an edited version says. Once a feed of the article's own site has it, no other
        feed speaks for it.
        """
        news = Signals()
        before, now = self._articles[feed], dict[str, str]()
        for raw, became in entries:
            found = became.signals[0] if became.signals else None
            key = _digest(found.id.encode() if found else as_json(raw), KEY_CHARS)
            owner = self._feed_of.get(key, feed)
            if key in now or (owner != feed and not _takes_over(feed, owner, found)):
                continue
            words, created_ms = _words(found), found.created_ms if found else 0
            known = before.get(key) if owner == feed else self._articles[owner].pop(key, None)
            if known is not None and owner == feed:
                created_ms = min(created_ms, int(known[WORDS_CHARS:]) * 1000)
            now[key] = f"{words}{created_ms // 1000}"
            if known is not None and known.startswith(words):
                now[key] = known
            elif found is not None:
                news.signals.append(msgspec.structs.replace(found, created_ms=created_ms))
            else:
                news.extend([became])
        absent = [key for key in before if key not in now]
        kept = {key: before[key] for key in absent[-MAX_ABSENT:]} | now
        for key in absent[:-MAX_ABSENT]:
            self._feed_of.pop(key, None)
        self._articles[feed] = kept
        self._feed_of.update(dict.fromkeys(now, feed))
        self._trim()
        return news

    def _trim(self) -> None:
        """Forget the oldest articles of the feeds that have most, once there are too many."""
        while (surplus := len(self._feed_of) - MAX_ARTICLES) > 0:
            largest = max(self._articles.values(), key=len)
            for key in list(islice(largest, max(1, min(surplus, len(largest) // 2)))):
                del largest[key]
                self._feed_of.pop(key, None)


def _takes_over(feed: str, owner: str, found: Signal | None) -> bool:
    """Return whether ``feed`` is of the article's own site, and ``owner``, which had the article first, is not."""
    return found is not None and _is_of_site(feed, found) and not _is_of_site(owner, found)


def _is_of_site(feed: str, found: Signal) -> bool:
    hosts = [(page_key(url) or "").partition("/")[0] for url in (feed, found.permalink or "")]
    return all(hosts) and (hosts[0] == hosts[1] or hosts[0].endswith(f".{hosts[1]}"))


def _words(found: Signal | None) -> str:
    return _digest(f"{found.title}\0{found.text}".encode(), WORDS_CHARS) if found else "-" * WORDS_CHARS


def _digest(value: bytes, chars: int) -> str:
    return base64.urlsafe_b64encode(blake2b(value, digest_size=16).digest())[:chars].decode()
