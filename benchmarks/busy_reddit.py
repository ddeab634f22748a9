"""What share of a busy place the Reddit collector captures. Run: python -m benchmarks.busy_reddit [--minutes 10].

A simulated place has 50 posts and 500 comments a second; a client may ask 100 times a minute, for 100 things each. So
no client can read more than 30 % of it. The collector is compared with PRAW's own ``stream.comments()``, under the same
limits on the same place, and with what it gets from the feeds alone. Simulated time: minutes take seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import prawcore.rate_limit
from praw.models.util import stream_generator

from benchmarks.busy_place import BusyPlace, BusySource, SimulatedClock, number_of
from ingest.collector import CollectorContext
from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.reddit.collector import RedditCollector
from ingest.platforms.reddit.config import RedditConfig

WARM_UP_S = 60
"""The first minute is not measured: a rate limiter may begin with a burst."""
COOL_DOWN_S = 60
"""A reader goes on for another minute: what it has not read by then it has missed."""
WINDOW_S = 600
"""Reddit counts a client's requests in windows of ten minutes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reader captured. Shares: of the things that were created while it was measured, 0 to 1.

    ``missed_said``: about how many things it reported as missed; None if it reports nothing. ``missed``: the truth.
    """

    reader: str
    posts: float
    comments: float
    total: float
    requests_per_minute: float
    missed_said: int | None
    missed: int


def run_hubbub(
    reader: str,
    minutes: float,
    *,
    key: bool = True,
    requests_per_minute: float = 100.0,
    posts: float = 50.0,
    comments: float = 500.0,
) -> Outcome:
    """Let the collector read a busy place for ``minutes``. ``posts``, ``comments``: new ones a second."""
    options: dict[str, Any] = {"requests_per_minute": requests_per_minute, "subreddits": ("all",), "backfill_hours": 0}
    config = RedditConfig.model_validate(options | ({"client_id": "simulated"} if key else {}))
    return asyncio.run(_run_hubbub(reader, minutes, config, BusyPlace(SimulatedClock(), posts, comments)))


async def _run_hubbub(reader: str, minutes: float, config: RedditConfig, place: BusyPlace) -> Outcome:
    clock = place.clock
    limiter = RateLimiter("busy", config.requests_per_minute, clock=clock, sleep=clock.sleep)
    source = BusySource(place, limiter, has_counts=config.client_id is not None)
    context = CollectorContext(limiter, place.now_ms, clock, clock.sleep)
    collector = RedditCollector(config, None, context, source)
    end = clock.now + WARM_UP_S + 60 * minutes + COOL_DOWN_S
    captured: set[str] = set()
    said = warm_requests = 0
    async for batch in collector:
        captured.update(signal.id.partition(":")[2] for signal in batch.signals.signals)
        if clock.now < place.began_at + WARM_UP_S:
            warm_requests = source.requests
        elif clock.now < end - COOL_DOWN_S:
            said += batch.signals.missed
        if clock.now >= end:
            break
    return _outcome(reader, place, captured, source.requests - warm_requests, said)


def run_praw(
    minutes: float, *, requests_per_minute: float = 100.0, posts: float = 50.0, comments: float = 500.0
) -> Outcome:
    """Let PRAW's own stream read the comments of a busy place, behind prawcore's own rate limiter."""
    clock = SimulatedClock()
    place = BusyPlace(clock, posts, comments)
    end = clock.now + WARM_UP_S + 60 * minutes + COOL_DOWN_S
    captured: set[str] = set()
    reader = _PrawReader(place, requests_per_minute)
    warm_requests = 0
    with _simulated_time(clock):
        for comment in stream_generator(reader.comments, pause_after=-1):
            if comment is not None:
                captured.add(comment.fullname)
            if clock.now < place.began_at + WARM_UP_S:
                warm_requests = reader.requests
            if clock.now >= end:
                break
    return _outcome("PRAW stream.comments()", place, captured, reader.requests - warm_requests, None)


class _PrawReader:
    """One request for each call, with the headers that Reddit sends and at prawcore's rate."""

    def __init__(self, place: BusyPlace, requests_per_minute: float, request_seconds: float = 0.2) -> None:
        self._place = place
        self._allowed = requests_per_minute * WINDOW_S / 60
        self._request_seconds = request_seconds
        self._limiter = prawcore.rate_limit.RateLimiter(window_size=WINDOW_S)
        self.requests = 0

    def comments(self, limit: int, params: dict[str, str | None]) -> list[SimpleNamespace]:
        self._limiter.delay()
        self._place.clock.now += self._request_seconds
        self.requests += 1
        elapsed_s = self._place.clock.now - self._place.began_at
        used = self.requests - int(elapsed_s // WINDOW_S * self._allowed)
        self._limiter.update(
            response_headers={
                "x-ratelimit-remaining": str(max(0.0, self._allowed - used)),
                "x-ratelimit-used": str(max(0, used)),
                "x-ratelimit-reset": str(int(WINDOW_S - elapsed_s % WINDOW_S)),
            }
        )
        things = self._place.page("comments", before=params["before"])[:limit]
        return [SimpleNamespace(fullname=str(thing["data"]["name"])) for thing in things]  # type: ignore[index]


@contextlib.contextmanager
def _simulated_time(clock: SimulatedClock) -> Iterator[None]:
    """Give PRAW and prawcore the simulated clock instead of the module ``time``."""

    def sleep(seconds: float) -> None:
        clock.now += max(0.0, seconds)

    simulated = SimpleNamespace(sleep=sleep, monotonic_ns=lambda: int(clock.now * 1e9))
    with patch("praw.models.util.time", simulated), patch("prawcore.rate_limit.time", simulated):
        yield


def _outcome(reader: str, place: BusyPlace, captured: set[str], requests: int, said: int | None) -> Outcome:
    elapsed_s = place.clock.now - place.began_at - WARM_UP_S
    measured_s = elapsed_s - COOL_DOWN_S
    shares: dict[str, float] = {}
    found = created = 0
    for name, kind in (("submissions", "t3"), ("comments", "t1")):
        rate = place.posts_per_second if kind == "t3" else place.comments_per_second
        first, last = int(WARM_UP_S * rate), int((WARM_UP_S + measured_s) * rate)
        got = sum(first <= number_of(name_) < last for name_ in captured if name_.startswith(kind))
        shares[name] = got / (last - first)
        found, created = found + got, created + last - first
    per_minute = requests / (elapsed_s / 60)
    total = found / created
    return Outcome(reader, shares["submissions"], shares["comments"], total, per_minute, said, created - found)


def main() -> None:
    """Run all readers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="simulated minutes that are measured")
    minutes = parser.parse_args().minutes
    columns = ("posts/s", "posts", "comments", "total", "req/min", "missed, said", "missed")
    print(f"{'reader':30}" + "".join(f"{column:>13}" for column in columns))
    for factor in (1.0, 0.5, 0.25, 0.1, 0.02):
        posts, comments = 50 * factor, 500 * factor
        for outcome in (
            run_hubbub("Hubbub with a key", minutes, posts=posts, comments=comments),
            run_praw(minutes, posts=posts, comments=comments),
            run_hubbub("Hubbub with feeds", minutes, key=False, requests_per_minute=6, posts=posts, comments=comments),
        ):
            said = "nothing" if outcome.missed_said is None else f"{outcome.missed_said:,}"
            print(
                f"{outcome.reader:30}{posts:13g}{outcome.posts:13.1%}{outcome.comments:13.1%}{outcome.total:13.1%}"
                f"{outcome.requests_per_minute:13.0f}{said:>13}{outcome.missed:13,}"
            )


if __name__ == "__main__":
    main()
