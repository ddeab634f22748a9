"""A made-up recording: stories on several platforms whose posts, replies and growing counts are known."""

from __future__ import annotations

import random

from ingest.signal import Author, Community, Counts, Signal

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000

SUBJECTS = (
    ("Quillon bank freezes withdrawals after ledger outage", "Quillon ledger outage locks savers out of accounts"),
    (
        "Tarnholm volcano erupts, airports across the island close",
        "Tarnholm volcano: island airports close as ash spreads",
    ),
    (
        "Judge orders Vexatel to unlock phones for repair shops",
        "Vexatel must unlock phones for repair shops, court rules",
    ),
    ("Bluefin quota talks collapse in Marsaxlokk harbour", "Marsaxlokk bluefin talks end with no quota agreed"),
    ("Harrowgate United sells stadium to pension fund", "Pension fund buys Harrowgate United stadium"),
    ("New battery from Kelvane charges a bus in four minutes", "Kelvane shows four-minute battery for buses"),
)
PLATFORMS = ("reddit", "hackernews", "bluesky")


def make(seed: int = 1, *, replies: int = 40, observations: int = 6, span_minutes: int = 600) -> list[Signal]:
    """Return signals in the order they were observed. Replies sometimes come before their root post."""
    chance = random.Random(seed)
    signals: list[Signal] = []
    for subject, wordings in enumerate(SUBJECTS):
        began_ms = START_MS + chance.randrange(span_minutes // 2) * MINUTE_MS
        for number, wording in enumerate(wordings):
            platform = PLATFORMS[(subject + number) % len(PLATFORMS)]
            thread = f"{platform}:s{subject}p{number}"
            created_ms = began_ms + chance.randrange(30) * MINUTE_MS
            community = Community(f"place{subject}", 10_000 * (subject + 1)) if platform == "reddit" else None
            likes = replies_told = 0
            seen_ms = created_ms + chance.randrange(30) * MINUTE_MS
            for observation in range(observations):
                likes += chance.randrange(400 * (subject + 1))
                replies_told += chance.randrange(20)
                signals.append(
                    Signal(
                        id=thread,
                        kind="post",
                        platform=platform,
                        thread=thread,
                        author=Author(f"author{subject}-{number}"),
                        community=community,
                        title=wording,
                        url=f"https://news.example/{subject}/{number}",
                        counts=Counts(likes=likes, replies=replies_told, like_ratio=chance.randrange(50, 100) / 100),
                        created_ms=created_ms,
                        observed_ms=seen_ms + observation * chance.randrange(20, 60) * MINUTE_MS,
                    )
                )
            for reply in range(chance.randrange(replies)):
                # Some are collected a little before their root post, as happens.
                at_ms = seen_ms - 20_000 + chance.randrange(span_minutes // 2) * MINUTE_MS
                signals.append(
                    Signal(
                        id=f"{thread}r{reply}",
                        kind="reply",
                        platform=platform,
                        thread=thread,
                        author=Author(f"reader{chance.randrange(30)}"),
                        text=chance.choice(("this is great news, well done", "what a terrible idea", "see the report")),
                        counts=Counts(likes=chance.randrange(50)),
                        created_ms=at_ms,
                        observed_ms=at_ms + chance.randrange(30_000),
                    )
                )
    signals.sort(key=lambda signal: signal.observed_ms)
    return signals
