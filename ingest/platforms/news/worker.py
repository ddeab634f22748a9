"""Reads one feed after the other in a process of its own: RSS, Atom and CDF by feedparser, and JSON Feed.

Owns what the fields of each format mean, and how much of a feed is kept. It runs as a script: from standard input it
takes a line of JSON (``length``, ``content_type``, ``url``) and that many bytes; it answers with a line of JSON. A
hostile feed that takes too much time or memory ends this process, and not the collector's. Must never fetch.
"""

import io
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Final

import feedparser

MAX_ENTRIES: Final = 1_000
"""Entries that are read, from the top: feeds put the newest first. arXiv's longest lists have some 800 a day."""
MAX_CHARS: Final = 20_000
"""Longest text of an entry; more is cut off. Feeds with whole articles have some 10 000 characters each."""
MAX_NAME_CHARS: Final = 5_000
"""Longest of the other values. Papers list all authors in one name."""
MAX_MEMORY_BYTES: Final = 1_073_741_824
"""Address space of the process. A feed of 4 MB needs some 200 MB."""
MAX_CPU_SECONDS: Final = 10.0
"""CPU time for one feed, after which the process is killed. One of 1 MB takes half a second."""

Feed = dict[str, Any]


def read_feed(body: bytes, content_type: str = "", url: str = "") -> Feed:
    """Return a feed as JSON values: ``title``, ``language``, ``ttl`` and ``entries``; or ``error`` if it is none.

    ``content_type``: the header, for the encoding. ``url``: of the feed; relative links begin there. Each entry has
    ``id``, ``link``, ``title``, ``summary``, ``author``, ``published`` and ``language``; None where unknown.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        return _json_feed(body)
    found = feedparser.parse(
        io.BytesIO(body),  # never a string: feedparser would fetch or open it
        response_headers={"content-type": content_type, "content-location": url},
        sanitize_html=False,  # all markup is removed later
        resolve_relative_uris=False,
    )
    if not found.version and not found.entries:
        return {"error": "the page is no feed"}
    return {
        "title": _text(found.feed, "title", MAX_NAME_CHARS),
        "language": _text(found.feed, "language", MAX_NAME_CHARS),
        "ttl": _text(found.feed, "ttl", MAX_NAME_CHARS),
        "entries": [_entry(entry) for entry in found.entries[:MAX_ENTRIES]],
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, str | None]:
    contents = [part for part in entry.get("content") or () if isinstance(part, Mapping)]
    author = entry.get("author_detail")
    return {
        "id": _text(entry, "id", MAX_NAME_CHARS),
        "link": _text(entry, "feedburner_origlink", MAX_NAME_CHARS) or _text(entry, "link", MAX_NAME_CHARS),
        "title": _text(entry, "title", MAX_CHARS),
        "summary": _text(entry, "summary", MAX_CHARS) or (_text(contents[0], "value", MAX_CHARS) if contents else None),
        "author": (_text(author, "name", MAX_NAME_CHARS) if isinstance(author, Mapping) else None)
        or _text(entry, "author", MAX_NAME_CHARS),
        "published": _first(entry, "published", "updated", "created"),
        "language": _text(entry.get("title_detail") or {}, "language", MAX_NAME_CHARS),
    }


def _json_feed(body: bytes) -> Feed:
    """Read JSON Feed (https://www.jsonfeed.org/version/1.1/)."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {"error": "the page is no JSON"}
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list) or "jsonfeed.org/version" not in str(found.get("version"))[:100]:
        return {"error": "the page is no JSON Feed"}
    return {
        "title": _text(found, "title", MAX_NAME_CHARS),
        "language": _text(found, "language", MAX_NAME_CHARS),
        "ttl": None,
        "entries": [_item(item) for item in items[:MAX_ENTRIES] if isinstance(item, dict)],
    }


def _item(item: Mapping[str, Any]) -> dict[str, str | None]:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author, "name", MAX_NAME_CHARS) for author in authors or () if isinstance(author, dict)]
    return {
        "id": _text(item, "id", MAX_NAME_CHARS),
        "link": _text(item, "url", MAX_NAME_CHARS),
        "title": _text(item, "title", MAX_CHARS),
        "summary": _first(item, "summary", "content_text", "content_html"),
        "author": ", ".join(name for name in names if name)[:MAX_NAME_CHARS] or None,
        "published": _first(item, "date_published", "date_modified"),
        "language": _text(item, "language", MAX_NAME_CHARS),
    }


def _first(values: Mapping[str, Any], *names: str) -> str | None:
    return next((text for name in names if (text := _text(values, name, MAX_CHARS))), None)


def _text(values: Mapping[str, Any], name: str, max_chars: int) -> str | None:
    """Return a text of a feed; a number as text, because the ids of JSON Feed may be numbers; else None."""
    value = dict.get(values, name) if isinstance(values, dict) else None  # feedparser's own get() has fallbacks
    if isinstance(value, str):
        return value[:max_chars]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until their stream ends, as it does when the collector ends."""
    for header in iter(asked.readline, b""):
        request = json.loads(header)
        body = asked.read(request["length"])
        try:
            _limit_time(MAX_CPU_SECONDS)
            answer = read_feed(body, request["content_type"], request["url"])
        except Exception as error:  # noqa: BLE001 (the feed is at fault, and the next one is another's)
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        _limit_time(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _limit_time(cpu_seconds: float) -> None:
    """Let the system kill the process after so much more CPU time, in whatever call it is then; 0: never."""
    with suppress(AttributeError, OSError):  # not every system has it
        signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):  # not every system has or allows it
        import resource  # noqa: PLC0415 (only where there is one)

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


if __name__ == "__main__":
    _limit_memory()
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
