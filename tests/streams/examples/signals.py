"""Signals for tests of the streams, short to write."""

from __future__ import annotations

from ingest.signal import Counts, Signal

START_MS = 1_767_225_600_000


def root(thread: str, observed_ms: int, *, likes: int | None = None, title: str | None = None) -> Signal:
    """Return an observation of the post ``thread``; times in ms after the start."""
    return _signal(thread, thread, observed_ms, likes, title or f"title of {thread}")


def reply(thread: str, number: int, observed_ms: int, *, likes: int | None = None) -> Signal:
    """Return a reply in ``thread``; times in ms after the start."""
    return _signal(f"{thread}r{number}", thread, observed_ms, likes, None)


def _signal(id_: str, thread: str, observed_ms: int, likes: int | None, title: str | None) -> Signal:
    at_ms = START_MS + observed_ms
    return Signal(
        id=id_,
        kind="post" if id_ == thread else "reply",
        platform=thread.partition(":")[0],
        thread=thread,
        title=title,
        counts=Counts(likes=likes),
        created_ms=at_ms,
        observed_ms=at_ms,
    )
