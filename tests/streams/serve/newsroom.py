"""A small seeded newsroom: stories that rise and fade, as records of the contract.

For the tests of serve only. It writes the records that the role ``score`` writes, from the contract alone.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field
from typing import Any

HOUR_MS = 3_600_000
WEIGHTS = {
    "reach": 0.20,
    "engagement": 0.20,
    "star_power": 0.15,
    "duration": 0.10,
    "cross_platform": 0.15,
    "polarity": 0.10,
    "industry_impact": 0.10,
}
HEADLINES = [
    ("Chip maker halts shipments after export rule surprise", "policy", ["NVIDIA"]),
    ("Studio actors vote on digital-likeness clause", "labor", ["SAG-AFTRA"]),
    ("Open-weights lab releases 400B model under permissive licence", "product", ["Mistral"]),
    ("Court lets authors' copyright suit over training data proceed", "copyright", ["OpenAI", "Authors Guild"]),
    ("Warehouse firm replaces night shift with picking robots", "labor", []),
    ("Chat assistant leaks other users' conversation titles", "privacy", ["OpenAI"]),
    ("Benchmark scandal: test answers found in the training set", "research", ["Meta AI"]),
    ("Regulator opens inquiry into voice-cloning robocalls", "policy", ["FCC"]),
    ("City suspends driverless taxis after third blocked ambulance", "safety", ["Waymo"]),
    ("Search engine's answer box tells users to eat glue, again", "product", ["Google"]),
    ("Employees track keystrokes to train replacements, memo shows", "labor", ["Meta"]),
    ("Small model beats giant on maths olympiad with a week of training", "research", []),
    ("Data-centre plan withdrawn after village votes 412 to 3", "business", ["Microsoft"]),
    ("Hospital chatbot gave wrong doses for eleven days", "safety", []),
    ("Artists' union wins opt-out registry with teeth", "copyright", []),
    ("Translation headset passes blind test with interpreters", "product", []),
    ("Founder leaves lab over safety team's dissolution", "safety", ["Ilya Sutskever"]),
    ("Power grid operator warns of 9 GW of speculative requests", "business", []),
    ("School district bans homework detectors after false positives", "policy", []),
    ("Protein model's designs bind on first attempt, lab reports", "research", ["DeepMind"]),
    ("Leaked prompt shows assistant told to favour house products", "privacy", ["xAI", "Elon Musk"]),
    ("Insurers exclude 'autonomous decisions' from liability cover", "business", []),
]
PLATFORM_NAMES = {
    "reddit": "Reddit",
    "hackernews": "Hacker News",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "x": "X",
    "youtube": "YouTube",
    "news": "News",
    "lemmy": "Lemmy",
}
PLATFORMS = list(PLATFORM_NAMES)


def band(noise: float) -> str:
    names = [(20, "whisper"), (40, "murmur"), (60, "buzz"), (75, "clamor")]
    return next((name for below, name in names if noise < below), "uproar")


def score_record(story: str = "st_1", **fields: Any) -> dict[str, Any]:
    """Return the golden case of CONTRACT.md as a record, with other ``fields`` where given."""
    return {
        "v": 1,
        "story": story,
        "slug": f"slug-of-{story}",
        "title": "Meta faces backlash over employee tracking",
        "beat": "ai",
        "category": "labor",
        "noise": 39.5,
        "previous": 38.9,
        "band": "murmur",
        "state": "trending",
        "raw": 39.85,
        "decay": 0.99,
        "factors": {
            "reach": 38.0,
            "engagement": 83.0,
            "star_power": 15.0,
            "duration": 4.0,
            "cross_platform": 20.0,
            "polarity": 50.0,
            "industry_impact": 50.0,
        },
        "velocity_per_hour": 12.0,
        "windows": {},
        "platforms": {"reddit": {"items": 3, "interactions": 5120}},
        "figures": [],
        "top": [],
        "first_seen_ms": 1_700_000_000_000,
        "last_coverage_ms": 1_700_000_500_000,
        "scored_ms": 1_700_000_600_000,
        **fields,
    }


def event_record(type_: str, story: str = "st_1", at_ms: int = 1_700_000_600_000, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "type": type_, "story": story, "slug": f"slug-of-{story}", "at_ms": at_ms, **fields}


def encoded(record: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the key and the value of a record for Kafka."""
    return record["story"].encode(), json.dumps(record).encode()


@dataclass
class StoryLine:
    """One story: when it began, how loud it gets, and how fast."""

    id: str
    title: str
    category: str
    figures: list[str]
    began_ms: int
    peak: float
    rise_hours: float
    platforms: list[str]
    mood: float
    noise: float = 0.0
    state: str = "trending"
    bumps: list[float] = field(default_factory=list)


class Newsroom:
    """Stories as records. The same seed gives the same records."""

    def __init__(self, seed: int, now_ms: int, stories: int = len(HEADLINES)) -> None:
        self._random = random.Random(seed)
        self.lines: list[StoryLine] = []
        for i in range(stories):
            title, category, figures = HEADLINES[i % len(HEADLINES)]
            if i >= len(HEADLINES):
                title = f"{title} ({i // len(HEADLINES) + 1})"
            chosen = self._random.sample(PLATFORMS, self._random.choice([1, 1, 2, 2, 3, 4, 5]))
            line = StoryLine(
                id=f"st_{i:04x}",
                title=title,
                category=category,
                figures=figures,
                began_ms=now_ms - int(self._random.expovariate(1 / 9) * HOUR_MS) - 600_000,
                peak=min(96.0, 18 + self._random.betavariate(1.3, 2.2) * 88),
                rise_hours=self._random.uniform(0.5, 8),
                platforms=chosen,
                mood=self._random.random(),
            )
            line.bumps = [self._random.uniform(0, 7) for _ in range(3)]
            self.lines.append(line)

    def noise(self, line: StoryLine, at_ms: int) -> float:
        hours = (at_ms - line.began_ms) / HOUR_MS
        if hours < 0:
            return 0.0
        rise = 1 - math.exp(-3 * hours / line.rise_hours)
        ripple = sum(math.sin(hours * (1.3 + i) + bump) for i, bump in enumerate(line.bumps)) / 3
        fall: float = 0.5 ** (max(0, hours - line.rise_hours) / 40)
        return max(1.0, min(99.0, line.peak * rise * fall + 3.2 * ripple))

    def score(self, line: StoryLine, at_ms: int) -> dict[str, Any]:
        hours = max(0.05, (at_ms - line.began_ms) / HOUR_MS)
        n = len(line.platforms)
        decay = 0.5 ** (line.mood / 3 / 7)
        factors = {
            "star_power": min(100, 20.0 * len(line.figures)),
            "duration": min(100, hours / 72 * 100),
            "cross_platform": min(100, 20.0 * n),
            "polarity": 35 + 50 * line.mood,
            "industry_impact": 30 + 60 * ((line.mood * 7) % 1),
        }
        # Reach and engagement make up the rest of the noise that the story has to have.
        missing = self.noise(line, at_ms) / decay - sum(WEIGHTS[name] * value for name, value in factors.items())
        factors["reach"] = min(100.0, max(0.5, missing / 0.4 - 6 + 12 * line.mood))
        factors["engagement"] = min(100.0, max(0.5, missing / 0.4 + 6 - 12 * line.mood))
        raw = sum(WEIGHTS[name] * value for name, value in factors.items())
        noise = round(raw * decay, 2)
        velocity = round(noise / 2.1 + 4 * line.mood, 1)
        items = int(3 + noise * 2.4)
        platforms = {
            name: {"items": max(1, items >> i), "interactions": int((items >> i) * (90 + 60 * line.mood))}
            for i, name in enumerate(line.platforms)
        }
        previous, line.noise = line.noise or noise, noise
        slug = "-".join("".join(c if c.isalnum() else " " for c in line.title.lower()).split()[:7])
        return {
            "v": 1,
            "story": line.id,
            "slug": slug,
            "title": line.title,
            "beat": "ai",
            "category": line.category,
            "noise": noise,
            "previous": previous,
            "band": band(noise),
            "state": self.state(noise, n, velocity),
            "raw": round(raw, 2),
            "decay": round(decay, 4),
            "factors": {name: round(value, 2) for name, value in factors.items()},
            "velocity_per_hour": velocity,
            "windows": {
                name: {
                    "items": int(items * share) + 1,
                    "authors": int(items * share * 0.8) + 1,
                    "audience": int(items * share * 41_000),
                    "interactions": int(items * share * 130),
                    "platforms": platforms,
                }
                for name, share in (("5m", 0.02), ("1h", 0.2), ("24h", 0.9), ("life", 1.0))
            },
            "platforms": platforms,
            "figures": line.figures,
            "top": [
                {
                    "id": f"{name}:{line.id}{i}",
                    "platform": name,
                    "title": line.title if i == 0 else f"{line.title.split()[0]} and the rest: what we know so far",
                    "permalink": f"https://example.org/{name}/{slug}/{i}",
                    "interactions": int(noise * 140 / (i + 1)),
                }
                for i, name in enumerate((line.platforms * 3)[:5])
            ],
            "inputs": {
                "reach": {"estimated_audience": int(10 ** (factors["reach"] / 12.5)), "sources": items},
                "engagement": {
                    "loudness": round(noise / 310, 4),
                    "interactions": {name: share["interactions"] for name, share in platforms.items()},
                },
                "star_power": {"figures": [f"{name} (tier A, 20)" for name in line.figures]},
                "duration": {"hours_of_this_run": round(hours, 2), "full_at_hours": 72},
                "cross_platform": {"platforms_with_a_post": line.platforms},
                "polarity": {"votes": int(items * 0.4), "positive_replies": items, "negative_replies": items // 3},
                "industry_impact": {"assessor": "lexicon", "evidence": ["layoffs", "regulator"]},
            },
            "first_seen_ms": line.began_ms,
            "last_coverage_ms": at_ms - int(60_000 * line.mood * 5),
            "scored_ms": at_ms,
        }

    @staticmethod
    def state(noise: float, platforms: int, velocity: float) -> str:
        if noise >= 75:
            return "scandal"
        if noise < 10:
            return "resolved"
        if velocity >= 15:
            return "controversy" if platforms >= 2 else "spike"
        return "trending"

    def records(self, at_ms: int, share: float = 1.0) -> list[tuple[str, bytes, bytes]]:
        """Return the records (topic, key, value) of a random share of the stories at ``at_ms``."""
        records = []
        for line in self.lines:
            if at_ms < line.began_ms or self._random.random() > share:
                continue
            record = self.score(line, at_ms)
            events = []
            update = {"noise": record["noise"], "previous": record["previous"], "state": record["state"]}
            events.append(event_record("noise_update", line.id, at_ms, **update))
            if record["state"] != line.state:
                change = {"from": line.state, "to": record["state"], "noise": record["noise"]}
                events.append(event_record("state_change", line.id, at_ms, **change))
                line.state = record["state"]
            if self._random.random() < 0.01:
                spike = {"velocity_per_hour": record["velocity_per_hour"] * 6, "expected_per_hour": 14.2}
                events.append(event_record("spike", line.id, at_ms, **spike, evidence={"counts": [3, 4, 41]}))
            records.append(("noise-scores", *encoded(record)))
            records += [("noise-events", *encoded(event | {"slug": record["slug"]})) for event in events]
        return records
