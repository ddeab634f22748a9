"""The load of the comparison: signals of many stories on several platforms, the same for every run of a seed.

Owns the form of the load. Stories stay under 192 items, where Hubbub's ledger is exact, so that results can be compared
to the last digit. The reply count of a post is never below the replies that follow. Posts are bare links: Hubbub can
also match two links by their words, but that is not part of the job. ``titled`` adds the words, to measure Hubbub
alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from benchmarks.job import WATCHED_SITES
from ingest.signal import EARLIEST_MS, Author, Community, Counts, Signal

__all__ = ["make_load"]

SEED = 7
PLATFORMS = ("reddit", "hackernews", "mastodon", "lemmy")
MEMBERS = {f"{platform}-{index}": 10_000 * (index + 1) for platform in PLATFORMS for index in range(12)}
SITES = sorted(WATCHED_SITES)
OTHER_SITES = [f"site{number}.example.net" for number in range(100)]
MAX_ITEMS = 180
SPAN_MS = 7_200_000
"""The time over which stories are generated, before their times are scaled to the span."""
WORDS = """
the of and to that have it for not with you this from they she will would there their what about who which when
could them see than then now think how are were been did very too because why should really just know people
council river bridge budget report paper window market station engine doctor winter garden number company country
question morning minute letter system program history picture member village weather problem answer reason water
already perhaps almost never again under between during without another every enough something nothing later early
good great love hope best wrong bad hate terrible fail happy sad risk strong win lose
""".split()  # noqa: SIM905 (easier to read)
"""The words of replies: one word in eight carries sentiment."""
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
REPLY_WORDS = (4, 60)


def make_load(
    count: int,
    *,
    relevant_share: float,
    begin_ms: int,
    span_ms: int,
    tag: str = "",
    titled: bool = False,
    texted: bool = True,
) -> list[Signal]:
    """Return ``count`` signals in the order they are observed, evenly from ``begin_ms`` over ``span_ms``.

    ``relevant_share``: of the stories, 0 to 1. ``tag``: part of all ids. ``titled``: posts have titles.
    ``texted``: replies have texts.
    """
    rng = random.Random(f"{SEED}{tag}")
    signals: list[Signal] = []
    number = 0
    while len(signals) < count:
        signals.extend(_story(f"{tag}{number}", rng, relevant=rng.random() < relevant_share, titled=titled))
        number += 1
    signals.sort(key=lambda signal: (signal.observed_ms, not signal.is_root))
    created_ms: dict[str, int] = {}
    latest_ms: dict[str, int] = {}
    timed = []
    for index, signal in enumerate(signals[:count]):
        # Never twice in one millisecond: of two observations at the same time, neither would be the later one.
        at_ms = max(begin_ms + span_ms * index // count, latest_ms.get(signal.id, 0) + 1)
        latest_ms[signal.id] = at_ms
        timed.append(
            msgspec.structs.replace(
                signal,
                text=signal.text if texted else None,
                observed_ms=at_ms,
                created_ms=created_ms.setdefault(signal.id, at_ms),
            )
        )
    return timed


def _story(name: str, rng: random.Random, *, relevant: bool, titled: bool) -> Iterator[Signal]:
    """Yield the signals of one story: several threads about one link."""
    site = rng.choice(SITES if relevant else OTHER_SITES)
    url = f"https://{site}/{name}-{_name(rng)}"
    title = " ".join(_name(rng) for _ in range(8)) if titled else None
    left = rng.randint(20, MAX_ITEMS)
    start_ms = rng.randrange(EARLIEST_MS, EARLIEST_MS + SPAN_MS)
    for thread in range(rng.randint(1, 4)):
        replies = min(left - 1, rng.randint(5, 80))
        if replies < 1:
            return
        left -= replies + 1
        platform = rng.choice(PLATFORMS)
        lasting_ms = rng.randint(SPAN_MS // 20, SPAN_MS // 4)
        community = f"{platform}-{rng.randrange(12)}"
        post_ms = start_ms + rng.randrange(lasting_ms)
        post = Signal(
            id=f"{platform}:{name}x{thread}",
            kind="post",
            platform=platform,
            thread=f"{platform}:{name}x{thread}",
            author=_author(rng),
            community=Community(community, MEMBERS[community]),
            title=title,
            url=url,
            permalink=f"https://{platform}.example.net/{name}x{thread}",
            counts=Counts(likes=0, replies=replies, shares=0),
            created_ms=post_ms,
            observed_ms=post_ms,
        )
        yield post
        yield from _what_follows(post, rng, lasting_ms, replies)


def _what_follows(post: Signal, rng: random.Random, lasting_ms: int, replies: int) -> Iterator[Signal]:
    """Yield the replies of a post, and a later observation of its counts for every eighth reply."""
    likes = 0
    for look_ms in sorted(rng.sample(range(1, lasting_ms), replies // 8)):
        likes += rng.randrange(200)
        counts = Counts(likes=likes, replies=replies + rng.randrange(5), shares=0)
        yield msgspec.structs.replace(post, counts=counts, observed_ms=post.created_ms + look_ms)
    for reply in range(replies):
        seen_ms = post.created_ms + rng.randrange(1, lasting_ms)
        yield Signal(
            id=f"{post.id}.{reply}",
            kind="reply",
            platform=post.platform,
            thread=post.id,
            author=_author(rng),
            community=post.community,
            text=" ".join(rng.choices(WORDS, k=rng.randint(*REPLY_WORDS))),
            permalink=f"{post.permalink}/{reply}",
            counts=Counts(likes=rng.randrange(50), replies=rng.randrange(3), shares=0),
            created_ms=seen_ms,
            observed_ms=seen_ms,
        )


def _author(rng: random.Random) -> Author:
    return Author(f"author{rng.randrange(5_000)}")


def _name(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))
