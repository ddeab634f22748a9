"""SCORING.md once more, straight from the list of signals: what ``scoring`` is held against.

Written without it and slow on purpose: no increments, no sums kept, every number spelled out here again.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ingest.signal import Signal
from scoring import Reading, Tier
from scoring.ledger.identity import identity
from scoring.ledger.wording import text_number

HOUR = 3_600_000
WEIGHTS = {
    "reach": 0.20,
    "engagement": 0.20,
    "star_power": 0.15,
    "duration": 0.10,
    "cross_platform": 0.15,
    "polarity": 0.10,
    "industry_impact": 0.10,
}
LOUD = {
    "reddit": 50_000,
    "hackernews": 3_000,
    "x": 200_000,
    "bluesky": 30_000,
    "mastodon": 10_000,
    "youtube": 200_000,
    "lemmy": 3_000,
    "news": 1_000,
}
VIEWS_PER_LIKE = {
    "reddit": 50,
    "hackernews": 40,
    "x": 100,
    "bluesky": 40,
    "mastodon": 40,
    "youtube": 30,
    "lemmy": 30,
    "news": 50,
}
POINTS = {"S": 30, "A": 20, "B": 10, "C": 5}

Seen = tuple[Signal, Reading]


@dataclass
class Answer:
    """What a score should be."""

    noise: float
    raw: float
    decay: float
    factors: dict[str, float]
    windows: dict[str, dict[str, object]]
    first_seen_ms: int
    last_coverage_ms: int
    figures: tuple[str, ...]
    interactions: dict[str, int] = field(default_factory=dict)
    velocity: int = 0
    people_by_five_minutes: dict[int, int] = field(default_factory=dict)
    dropped: int = 0
    makeup: tuple[float, float, float, int] = (0.0, 0.0, 0.0, 0)


def counted(signal: Signal) -> bool:
    counts = signal.counts
    return any(
        value is not None for value in (counts.likes, counts.replies, counts.shares, counts.views, counts.like_ratio)
    )


def person_of(signal: Signal) -> tuple[str, ...]:
    """Return who speaks: the author, or, as far as we know, somebody who says this alone."""
    if signal.author and signal.author.name is not None:
        return signal.platform, signal.author.name
    return ("unknown", signal.id)


def text_of(signal: Signal) -> str | None:
    """Return the beginning of what the signal says, as far as a copy would keep it."""
    words = signal.title or signal.text or ""
    if words.strip()[:1] == "[" and words.strip()[1:].find("]") == len(words.strip()) - 2 and words.count("[") == 1:
        return None
    plain = unicodedata.normalize("NFKC", words[:120]).casefold()
    kept = [word for word in plain.split() if not word.startswith(("@", "#")) and "." not in word[1:-1]]
    if kept[:1] == ["rt"]:
        del kept[0]
    letters = "".join(letter for word in kept for letter in word if letter.isalpha())
    return letters[:32] if len(letters[:32].encode()) >= 10 else None


def link_of(signal: Signal) -> tuple[str, str] | None:
    """Return the host and the path of a link to a page."""
    if not signal.url:
        return None
    host, _, path = signal.url.split("://")[1].partition("/")
    return host.casefold().removeprefix("www."), path.split("#")[0]


def copying(signals: list[tuple[tuple[str, ...], str | None]]) -> dict[tuple[str, ...], str]:
    """Return the people who only say what more than two of ``signals`` (person, text) say, each with such a text."""
    shared = Counter(text for _, text in signals if text)
    texts: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for person, text in signals:
        if text:
            texts[person].add(text)
    only = {person: said for person, said in texts.items() if all(shared[text] > 2 for text in said)}
    return {person: min(said, key=text_number) for person, said in only.items() if person[0] != "unknown"}


def people(
    spoken: list[tuple[int, Signal]], copiers: dict[tuple[str, ...], str], five_minutes: int | None = None
) -> int:
    """Return how many people speak in ``spoken`` (time of coverage, signal), or in the last ``five_minutes`` of it."""
    voices = {(person_of(signal), at_ms // 300_000) for at_ms, signal in spoken}
    counted = sum(person not in copiers and five_minutes in (None, at) for person, at in voices)
    for text in set(copiers.values()):
        times = [at for person, at in voices if copiers.get(person) == text]
        now = sum(five_minutes in (None, at) for at in times)
        counted += min(now, max(0, 2 - (len(times) - now)))
    return counted


def answer(seen: list[Seen], t_ms: int, tiers: dict[str, Tier], impact: float = 50.0) -> Answer:
    """Score the story of the observations ``seen`` at ``t_ms``; all of them are observed by then."""
    observations: dict[str, list[Seen]] = defaultdict(list)
    for signal, reading in seen:
        observations[signal.id].append((signal, reading))
    latest = {
        id_: max(found, key=lambda pair: (counted(pair[0]), pair[0].observed_ms)) for id_, found in observations.items()
    }
    made = {
        id_: min(min(signal.created_ms, signal.observed_ms) for signal, _ in found)
        for id_, found in observations.items()
    }
    covered = {
        id_: min(
            made[other]
            for other, (theirs, _) in latest.items()
            if other == id_ or (person_of(theirs) == person_of(signal) and says_the_same(theirs, signal))
        )
        for id_, (signal, _) in latest.items()
    }
    replies: dict[str, int] = defaultdict(int)
    for signal, _ in latest.values():
        if signal.kind == "reply":
            replies[signal.thread] += 1

    def interactions_of(id_: str) -> int:
        counts = latest[id_][0].counts
        return (counts.likes or 0) + 2 * max(counts.replies or 0, replies[id_]) + 3 * (counts.shares or 0)

    def audience_of(ids: list[str]) -> float:
        sources: dict[tuple[str, ...], float] = {}
        for id_ in ids:
            key: tuple[str, ...]
            signal = latest[id_][0]
            counts, platform = signal.counts, signal.platform
            if counts.views is not None:
                key, reached = ("item", id_), float(counts.views)
            elif signal.community and signal.community.name is not None and signal.community.members is not None:
                key, reached = ("community", platform, signal.community.name), signal.community.members * 0.02
            elif signal.author and signal.author.name is not None and signal.author.followers is not None:
                key, reached = ("author", platform, signal.author.name), signal.author.followers * 0.05
            elif counts.likes is not None:
                key, reached = ("liked", *person_of(signal)), counts.likes * float(VIEWS_PER_LIKE.get(platform, 50))
            else:
                continue
            sources[key] = max(sources.get(key, 0.0), reached)
        return math.fsum(sources.values())

    copiers = copying([(person_of(signal), text_of(signal)) for signal, _ in latest.values()])
    copies: dict[str, list[str]] = defaultdict(list)
    for id_, (signal, _) in latest.items():
        if (text := text_of(signal)) and person_of(signal) in copiers:
            copies[text].append(id_)

    def stated(id_: str) -> tuple[int, int]:
        counts = latest[id_][0].counts
        return (counts.likes or 0) + 2 * (counts.replies or 0) + 3 * (counts.shares or 0), identity(id_)

    dropped = {id_ for ids in copies.values() for id_ in sorted(ids, key=stated)[:-2]}

    windows: dict[str, dict[str, object]] = {}
    for name, length_ms in (("5m", HOUR / 12), ("1h", HOUR), ("24h", 24 * HOUR), ("life", math.inf)):
        ids = [id_ for id_ in latest if covered[id_] > t_ms - length_ms]
        by_platform: dict[str, list[str]] = defaultdict(list)
        for id_ in ids:
            by_platform[latest[id_][0].platform].append(id_)
        windows[name] = {
            "items": len(ids),
            "authors": len(
                {
                    (latest[id_][0].platform, author.name)
                    for id_ in ids
                    if (author := latest[id_][0].author) and author.name is not None
                }
            ),
            "audience": audience_of([id_ for id_ in ids if id_ not in dropped]),
            "interactions": sum(interactions_of(id_) for id_ in ids if id_ not in dropped),
            "platforms": {
                platform: (len(there), sum(interactions_of(id_) for id_ in there if id_ not in dropped))
                for platform, there in by_platform.items()
            },
        }

    by_platform_interactions: dict[str, int] = defaultdict(int)
    for id_, (signal, _) in latest.items():
        by_platform_interactions[signal.platform] += 0 if id_ in dropped else interactions_of(id_)
    loudness = sum(count / LOUD.get(platform, 10_000) for platform, count in by_platform_interactions.items())
    audience = audience_of([id_ for id_ in latest if id_ not in dropped])
    lone = len({person_of(signal) for signal, _ in latest.values()}) == 1 and person_of(signal)[0] != "unknown"

    spoken = [(covered[id_], signal) for id_, (signal, _) in latest.items()]
    times = sorted(set(covered.values()))
    start_ms = end_ms = times[-1]
    for earlier_ms in reversed(times):
        if start_ms - earlier_ms > 24 * HOUR:
            break
        start_ms = earlier_ms

    figures = sorted({figure for _, reading in seen for figure in reading.figures})
    factors = {
        "reach": 100 * min(1.0, math.log10(1 + audience) / 8),
        "engagement": 100 * min(1.0, math.log10(1 + 10_000 * loudness) / 4),
        "star_power": min(100.0, sum(POINTS[tiers[figure]] for figure in figures if figure in tiers)),
        "duration": 0.0 if lone else 100 * min(1.0, (end_ms - start_ms) / HOUR / 72),
        "cross_platform": min(
            100.0, 20.0 * len({signal.platform for signal, _ in latest.values() if signal.kind == "post"})
        ),
        "polarity": polarity(list(latest.values())),
        "industry_impact": impact,
    }
    raw = sum(WEIGHTS[name] * value for name, value in factors.items())
    decay = 0.5 ** ((t_ms - end_ms) / (7 * 24 * HOUR))
    return Answer(
        noise=raw * decay,
        raw=raw,
        decay=decay,
        factors=factors,
        windows=windows,
        first_seen_ms=times[0],
        last_coverage_ms=end_ms,
        figures=tuple(figures),
        interactions=dict(by_platform_interactions),
        velocity=people([(at_ms, signal) for at_ms, signal in spoken if at_ms > t_ms - HOUR], copiers),
        people_by_five_minutes={
            at: people([(at_ms, signal) for at_ms, signal in spoken if at - 12 < at_ms // 300_000 <= at], copiers, at)
            for at in {covered_ms // 300_000 for covered_ms in covered.values()}
        },
        dropped=len(dropped),
        makeup=makeup([signal for signal, _ in latest.values()]),
    )


def polarity(latest: list[Seen]) -> float:
    """Return how divided the votes and the replies are, 0 to 100."""
    weight = divided = 0.0
    for signal, _ in latest:
        ratio = signal.counts.like_ratio
        if ratio is not None:
            vote_weight = min(10.0, 2 * math.log10(1 + (signal.counts.likes or 0)))
            weight += vote_weight
            divided += vote_weight * (1 - abs(2 * ratio - 1))
    feelings = [reading.sentiment for signal, reading in latest if signal.kind == "reply"]
    for_, against = feelings.count(1), feelings.count(-1)
    if for_ + against:
        reply_weight = 0.5 * min(for_ + against, 200)
        weight += reply_weight
        divided += reply_weight * 2 * min(for_, against) / (for_ + against)
    return 100 * (20 * 0.5 + divided) / (20 + weight)


def makeup(signals: list[Signal]) -> tuple[float, float, float, int]:
    """Return the shares of copies, of one author and of one domain, and the number of different texts."""
    texts = Counter(text for signal in signals if (text := text_of(signal)))
    authors = Counter(person for signal in signals if (person := person_of(signal))[0] != "unknown")
    domains = Counter(link[0] for signal in signals if (link := link_of(signal)))
    copies = (texts.total() - len(texts)) / texts.total() if texts else 0.0
    one_author, one_domain = (max(some.values()) / some.total() if some else 0.0 for some in (authors, domains))
    return copies, one_author, one_domain, len(texts)


def says_the_same(one: Signal, other: Signal) -> bool:
    """Return whether two items of one author have a text or a page in common."""
    text, link = text_of(one), link_of(one)
    return (text is not None and text == text_of(other)) or (
        link is not None and bool(link[1]) and link == link_of(other)
    )
