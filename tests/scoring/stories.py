"""Stories to score: made by hypothesis or by a seed, as lists of observations."""

from __future__ import annotations

import random
from typing import Literal

from hypothesis import strategies as st

from ingest.signal import Author, Community, Counts, Signal
from scoring import Ledger, Reading, Sentiment, Tier

NOW_MS = 1_704_000_000_000
HOUR_MS = 3_600_000
PLATFORMS = ("reddit", "hackernews", "x", "bluesky", "gab")
TITLES = ("Quillon says the ledger failed", "Claim your free coins now", "What we know of the outage", "[deleted]")
TEXTS = (
    "I could not pay my rent",
    "RT @claims: CLAIM your free coins, now!! 372 coins.example",
    "thank you",
    "家賃が払えませんでした",
)
LINKS = (
    "https://paper.example/outage",
    "https://www.paper.example/outage#more",
    "https://other.example/",
    "https://x.example/1",
)
TIERS: dict[str, Tier] = {"ada": "S", "bob": "A", "cyd": "B", "dan": "C", "eve": "C"}

Seen = tuple[Signal, Reading]


def ledger_of(*seen: Signal | Seen) -> Ledger:
    """Return a ledger of these observations; nothing was read from those without a reading."""
    ledger = Ledger()
    for one in seen:
        ledger.apply(*(one if isinstance(one, tuple) else (one,)))
    return ledger


def observed(rng: random.Random, root: int, number: int, age_ms: int, delay_ms: int) -> Seen:
    """Return one observation of item ``number`` of a thread, ``delay_ms`` after its creation."""
    platform = PLATFORMS[root % len(PLATFORMS)]
    thread = f"{platform}:{root}"
    kind: Literal["post", "reply", "repost"] = "post" if number == 0 else rng.choice(("reply", "reply", "repost"))
    created_ms = NOW_MS - age_ms
    likes = int(rng.paretovariate(0.7)) % 100_000
    counts = Counts(
        likes=rng.choice((None, likes, likes)),
        replies=rng.choice((None, likes // 5)),
        shares=rng.choice((None, None, likes // 9)),
        views=rng.choice((None, None, None, likes * 30)),
        like_ratio=rng.choice((None, round(rng.random(), 2))),
    )
    signal = Signal(
        id=thread if number == 0 else f"{thread}.{number}",
        kind=kind,
        platform=platform,
        thread=thread,
        author=rng.choice((None, Author(f"a{rng.randrange(6)}", rng.choice((None, rng.randrange(100_000)))))),
        community=rng.choice((None, Community(f"c{rng.randrange(3)}", rng.choice((None, rng.randrange(10**7)))))),
        title=rng.choice((None, f"Title {root}", *TITLES)),
        text=rng.choice((None, *TEXTS)),
        url=rng.choice((None, None, *LINKS)),
        counts=rng.choice((Counts(), counts, counts)),
        created_ms=created_ms,
        observed_ms=min(NOW_MS, created_ms + delay_ms),
    )
    sentiment: Sentiment | None = rng.choice((None, -1, 0, 1))
    return signal, Reading(tuple(rng.sample(sorted(TIERS), rng.choice((0, 0, 0, 1, 2)))), sentiment)


@st.composite
def stories(draw: st.DrawFn, most: int = 25) -> list[Seen]:
    """Draw observations of a story: items on several platforms, each observed up to three times."""
    ages = st.one_of(
        st.integers(0, 10 * 60_000),
        st.integers(0, 30 * HOUR_MS),
        st.integers(0, 300 * HOUR_MS),
        st.sampled_from((0, HOUR_MS // 12, HOUR_MS, 24 * HOUR_MS)),
    )
    delays = st.one_of(st.just(0), st.integers(0, 5 * HOUR_MS), st.integers(0, 200_000))
    found: list[Seen] = []
    numbered = st.tuples(st.integers(0, 6), st.integers(0, 8), ages)
    items = draw(st.lists(numbered, min_size=1, max_size=most, unique_by=lambda item: item[:2]))
    for root, number, age_ms in items:
        for delay_ms in draw(st.lists(delays, min_size=1, max_size=3, unique=True)):
            rng = random.Random(hash((root, number, age_ms, delay_ms)))
            found.append(observed(rng, root, number, age_ms, delay_ms))
    return distinct(found)


def seeded_story(seed: int, items: int = 40) -> list[Seen]:
    """Return a story's observations, made from a seed alone: the same on every machine."""
    rng = random.Random(seed)
    span_ms = rng.choice((10 * 60_000, 3 * HOUR_MS, 40 * HOUR_MS, 400 * HOUR_MS))
    found: list[Seen] = []
    for index in range(items):
        root, number = (index, 0) if rng.random() < 0.3 else (rng.randrange(max(1, index)), index)
        age_ms = rng.randrange(span_ms)
        found += [
            observed(rng, root, number, age_ms, rng.randrange(2 * HOUR_MS)) for _ in range(rng.choice((1, 1, 2, 3)))
        ]
    rng.shuffle(found)
    return distinct(found)


def distinct(found: list[Seen]) -> list[Seen]:
    """Return ``found`` with one observation for each (id, observed_ms), which identifies an observation."""
    return list({(signal.id, signal.observed_ms): (signal, reading) for signal, reading in found}.values())


def large_story(seed: int, items: int) -> list[Seen]:
    """Return a large story's observations: few posts, many replies, heavy-tailed counts that only grow."""
    rng = random.Random(seed)
    found: list[Seen] = []
    posts: list[int] = []
    for index in range(items):
        is_post = index < 5 or rng.random() < 0.15
        if is_post:
            posts.append(index)
        root = index if is_post else rng.choice(posts)
        platform = PLATFORMS[root % 4]
        likes = int(rng.paretovariate(0.9) * (5 if is_post else 1)) % 200_000
        name = int(rng.paretovariate(0.4)) % 5000
        created_ms = NOW_MS - int(rng.expovariate(1 / (6 * HOUR_MS)))
        on_reddit = platform == "reddit"
        community = Community(f"c{rng.randrange(40)}", 10_000 * (1 + index % 40)) if on_reddit else None
        ratio = round(rng.random(), 2) if is_post and on_reddit else None
        sentiment: Sentiment | None = None if is_post else rng.choice((-1, 0, 1, 1))
        grown = min(NOW_MS, created_ms + rng.randrange(HOUR_MS))
        for observed_ms, part in ((created_ms, 3), (grown, 1)):
            signal = Signal(
                id=f"{platform}:{index}",
                kind="post" if is_post else "reply",
                platform=platform,
                thread=f"{platform}:{root}",
                author=Author(f"a{name}", name * 7919 % 50_000),
                community=community,
                counts=Counts(likes=likes // part, replies=likes // 4 // part if is_post else None, like_ratio=ratio),
                created_ms=created_ms,
                observed_ms=observed_ms,
            )
            found.append((signal, Reading(sentiment=sentiment)))
    return distinct(found)
