"""The spread: a story that has begun on Reddit or Hacker News reaches the other platforms, one after the other.

Owns which platforms carry a story, when, and in which words; and the chatter there. Must never know the form of a
platform's posts, nor change what is said where the story began.

Each story has a generator of its own on each platform. So a platform says the same whichever others are served.
"""

import math
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from hubbub.world.chatter import openings
from hubbub.world.conversation import MINUTE_MS, Mood, second
from hubbub.world.growth import Curve
from hubbub.world.items import Community
from hubbub.world.ladder import Rung
from hubbub.world.platform_side import PlatformSide, Said
from hubbub.world.profiles import PROFILES
from hubbub.world.storyline import Storyline, shared_link
from hubbub.world.truth import loud
from hubbub.world.words import ASIDES, HOSTILE, NAMES, SMALL_TALK

HOMEBODY = 4
"""One in so many stories stays where it began."""
MOST_FIGURES = 6
"""Public figures named with the loudest story; with the others there are fewer."""
FIGURE_SHARE = 0.5
"""The share of posts that name a figure, after the first ones, which name each figure once."""
WAKE = Curve(20 * MINUTE_MS)
"""How the later posts on a platform follow a wave of the story."""
HOSTILE_STEP = 4
"""A platform has one in so many of the hostile texts, and its neighbour others: one text on all would be a story."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Rumour:
    """A story as the other platforms hear of it."""

    line: Storyline
    rung: Rung

    def figures(self, seed: int) -> list[str]:
        """Return the public figures whom people name with it."""
        count = round(MOST_FIGURES * (1 - self.rung.step) ** 2)
        return [
            figure.name for figure in random.Random(f"{seed}:figures:{self.line.story}").sample(ASIDES.figure, count)
        ]


def spread(side: PlatformSide, rumours: Iterable[Rumour], chatter: int) -> None:
    """Say on a platform what reaches it of the stories, and the chatter there. ``chatter``: ``Size.chatter``."""
    for heard in rumours:
        if heard.rung.rank % HOMEBODY != HOMEBODY - 1:
            _carry(side, heard)
    _chat(side, math.ceil(chatter * side.profile.chatter))


def communities(begins_ms: int) -> list[Community]:
    """Return the communities of the platforms that stories spread to."""
    return [
        Community(name, members, begins_ms - 1000 * DAY_MS, platform)
        for platform, profile in PROFILES.items()
        for name, members in profile.places
        if name is not None
    ]


def _carry(side: PlatformSide, heard: Rumour) -> None:
    """Let the platform carry a story, or not."""
    profile, line, rung = side.profile, heard.line, heard.rung
    rng = random.Random(f"{side.seed}:spread:{line.story}:{side.platform}")
    if rng.random() > profile.carries * (1.25 - rung.step):
        return
    count = max(1, round(profile.posts * (1 - rung.step) ** 1.5))
    weights = [rng.uniform(0.9, 1.1) / (order + 1) ** 0.9 for order in range(count)]
    headlines = line.headlines(rng, profile.title_chars or profile.text_chars)
    asides = _asides(rng, heard.figures(side.seed))
    delay_ms = rng.randint(*profile.delay_min) * MINUTE_MS
    waves = rng.choices(line.waves, [wave.posts for wave in line.waves], k=count - 1)
    starts_ms = [line.onset_ms, *sorted(wave.start_ms + WAKE.age_ms(rng.random()) for wave in waves)]
    for order, (start_ms, weight) in enumerate(zip(starts_ms, weights, strict=True)):
        part = weight / sum(weights)
        said = Said(
            created_ms=second(start_ms + delay_ms),
            headline=next(headlines),
            more=next(asides),
            link=_link(rng, line, order, profile.links, own=profile.articles),
            interactions=rung.interactions * profile.part * loud(side.platform) * part,
            replies=round(rung.replies * profile.replies * part),
            reposts=round(rung.replies * (profile.reposts or 0) * part),
            up_votes=line.plot.up_votes,
            mood=line.mood,
            story=line.story,
        )
        side.say(rng, said)


def _chat(side: PlatformSide, count: int) -> None:
    """Add ``count`` unrelated posts, evenly spread in time, with the hostile texts among them."""
    rng = random.Random(f"{side.seed}:chatter:{side.platform}")
    profile = side.profile
    first = list(PROFILES).index(side.platform) % HOSTILE_STEP
    some = HOSTILE[first::HOSTILE_STEP]
    hostile = dict(zip(range(count // 20, count, max(1, count // len(some))), some, strict=False))
    for index, (_, opening) in enumerate(islice(openings(rng, [SMALL_TALK[side.platform]]), count)):
        headline, more = hostile.get(index, (opening, ""))
        slug = re.sub(r"[^a-z0-9]+", "-", opening.lower()).strip("-")
        link = f"https://{rng.choice(NAMES['outlets'])}/{side.platform}/{slug}-{index}"
        linked = profile.articles or rng.random() < profile.links / 2
        said = Said(
            created_ms=second(side.begins_ms + (side.ends_ms - side.begins_ms) * (index + rng.random()) / count),
            headline=headline,
            more=more,
            link=link if linked else None,
            interactions=rng.lognormvariate(2, 1.2),
            replies=min(8, int(rng.expovariate(1.2))) if profile.replies else 0,
            reposts=min(4, int(rng.expovariate(2))),
            up_votes=0.9,
            mood=Mood("OP", 0.3, 0.1),
        )
        side.say(rng, said)


def _asides(rng: random.Random, figures: Sequence[str]) -> Iterator[str]:
    """Yield what a post says besides its headline: something on each of the figures, then now and then."""
    names = rng.sample(figures, len(figures))
    for name in names:
        yield rng.choice(ASIDES.asides).format(figure=name)
    while True:
        named = names and rng.random() < FIGURE_SHARE
        yield rng.choice(ASIDES.asides).format(figure=rng.choice(names)) if named else ""


def own_article(rng: random.Random, line: Storyline, ending: str) -> str:
    """Return the address of a further article on a story, which others do not link to. ``ending``: of its path."""
    outlet, _, path = line.articles[0].partition("/")
    return f"https://{rng.choice([name for name in NAMES['outlets'] if name != outlet])}/{path}-{ending}"


def _link(rng: random.Random, line: Storyline, order: int, share: float, *, own: bool) -> str | None:
    """Return a link to an article, or None. ``own``: the post is the article; the first are those that all link to."""
    if not own:
        return shared_link(rng, line.articles) if rng.random() < share else None
    return f"https://{line.articles[order]}" if order < len(line.articles) else own_article(rng, line, str(order))
