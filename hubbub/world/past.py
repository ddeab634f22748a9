"""The past of a generated world: what platforms still show of the days before it begins.

Owns the earlier coverage of the loudest story, and the stories that have faded. Must never know the form of a
platform's posts. Only platforms whose lists reach back that far show any of it.
"""

import random
from collections.abc import Iterable

from hubbub.world.conversation import MINUTE_MS, second
from hubbub.world.items import Wave
from hubbub.world.names import deal
from hubbub.world.platform_side import PlatformSide, Said
from hubbub.world.spread import own_article
from hubbub.world.storyline import Storyline, shared_link
from hubbub.world.words import NAMES, PLOTS

HOUR_MS = 60 * MINUTE_MS
COVERED_HOURS = 70
"""So long before it breaks out the loudest story is first covered. With it, its coverage lasts three days."""
EVERY_HOURS = (9, 16)
"""From one post on it to the next on a platform: less than the 24 h that end a run of coverage."""
FADED_HOURS = (80, 120)
"""So long before the world begins the faded stories were covered: longer than the 72 h after which one is resolved."""
FADED_POSTS = 2
"""Posts on a faded story on each platform that has articles: only the press cared."""
INTERACTIONS = 40.0
"""Interactions of a post of the past, where the platform counts any."""


def faded_stories(seed: int, count: int, current: Iterable[Storyline], begins_ms: int) -> list[Storyline]:
    """Return the stories that have faded before the world begins; of other plots than the current ones, if any are."""
    rng = random.Random(f"{seed}:faded")
    used = {line.plot.slug for line in current}
    plots = [plot for plot in PLOTS if plot.slug not in used] or list(PLOTS)
    names = deal(rng, ())
    stories = []
    for number in range(1, count + 1):
        plot = rng.choice(plots)
        facts = {name: next(names) for name in ("org", "rival", "product", "place")}
        facts |= {
            "person": f"{rng.choice(NAMES['people']).split()[0]} {next(names)}",
            "n": str(rng.randrange(12, 99) * 100),
        }
        onset_ms = second(begins_ms - rng.randint(*FADED_HOURS) * HOUR_MS)
        line = Storyline(rng, f"{plot.slug}-faded-{number}", plot, facts, onset_ms, begins_ms, ())
        line.report()
        line.waves.append(Wave(onset_ms, 1, sharp=False))
        stories.append(line)
    return stories


def recall(side: PlatformSide, loudest: Storyline | None, faded: Iterable[Storyline]) -> None:
    """Add what a platform still shows of the past."""
    if not side.profile.past:
        return
    for line in faded if side.profile.articles else ():
        rng = random.Random(f"{side.seed}:past:{line.story}:{side.platform}")
        _post(side, rng, line, [line.onset_ms + hours * HOUR_MS for hours in range(FADED_POSTS)])
    if loudest is not None:
        rng = random.Random(f"{side.seed}:past:{loudest.story}:{side.platform}")
        times_ms = [loudest.onset_ms - (COVERED_HOURS - rng.randint(0, 2)) * HOUR_MS]
        while (next_ms := times_ms[-1] + rng.randint(*EVERY_HOURS) * HOUR_MS) < loudest.onset_ms:
            times_ms.append(next_ms)
        _post(side, rng, loudest, times_ms)


def _post(side: PlatformSide, rng: random.Random, line: Storyline, times_ms: Iterable[int]) -> None:
    """Add a post on a story at each of the times."""
    profile = side.profile
    headlines = line.headlines(rng, profile.title_chars or profile.text_chars)
    for number, time_ms in enumerate(times_ms, start=1):
        link = own_article(rng, line, f"past-{number}") if profile.articles else shared_link(rng, line.articles)
        said = Said(
            created_ms=second(time_ms + rng.randint(0, 50) * MINUTE_MS),
            headline=next(headlines),
            more="",
            link=link if profile.links else None,
            interactions=INTERACTIONS,
            replies=0,
            reposts=0,
            up_votes=line.plot.up_votes,
            mood=line.mood,
            story=line.story,
        )
        side.say(rng, said)
