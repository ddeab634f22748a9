"""Profiles: how each platform that a story spreads to takes part in it.

Owns the habits of these platforms: how late they are, how much they say, in which form, and where. Must never know the
stories, nor a wire format.

Reddit and Hacker News are not here: stories begin there (``storyline.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from hubbub.world.words import NAMES

Sizes = tuple[tuple[str | None, int | None], ...]
"""Communities, each with its members; None where there are none, or where their number is not stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One platform's habits.

    ``carries``: the share of stories on it, of the louder ones. ``delay_min``: how long after a story's beginning it
    starts there, between two limits. ``posts``: on the loudest story. ``part``: that story's interactions, relative to
    those of a very loud story. ``replies``: of posts, relative to ``Size.replies``. ``reposts``: the same; None where
    the platform shows none. ``chatter``: unrelated posts, relative to ``Size.chatter``.

    ``title_chars``, ``text_chars``: the longest title and text; 0: posts have none. ``links``: the share of posts with
    a link. ``likes``, ``like_ratio``: whether the platform says how many, and how many are up.
    ``views_per_like``, ``views_per_member``: where it states views, how many there are.

    ``authors``: who posts: people, the places themselves, or authors without a name. ``person``: the form of a person's
    name, with the slots ``name`` and ``host``; ``joint`` stands between the parts of the name. ``followers``: half of
    the people have more; 0: not stated. ``hosts``: the instances. ``places``: the communities. ``articles``: posts are
    the press's own, at their links. ``past``: its lists reach back for days. ``collector``: whose platform it is, if
    not of the same name.
    """

    carries: float
    delay_min: tuple[int, int]
    posts: int
    chatter: float
    part: float = 0.0
    replies: float = 0.0
    reposts: float | None = None
    title_chars: int = 0
    text_chars: int = 0
    links: float = 1.0
    likes: bool = True
    like_ratio: bool = False
    views_per_like: float = 0.0
    views_per_member: float = 0.0
    authors: Literal["people", "places", "unnamed"] = "people"
    person: str = "{name}"
    joint: str = "_"
    followers: int = 0
    hosts: tuple[str, ...] = ("",)
    places: Sizes = ((None, None),)
    articles: bool = False
    past: bool = False
    collector: str = ""


_OUTLETS: Sizes = tuple((outlet, None) for outlet in NAMES["outlets"])

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "news": Profile(
            carries=0.8,
            delay_min=(1, 15),
            posts=6,
            chatter=0.25,
            title_chars=200,
            text_chars=1_000,
            likes=False,
            authors="unnamed",
            places=_OUTLETS,
            articles=True,
            past=True,
        ),
        "x": Profile(
            carries=0.7,
            delay_min=(2, 12),
            posts=10,
            chatter=0.2,
            part=0.5,
            replies=0.16,
            reposts=0.12,
            text_chars=280,
            links=0.7,
            views_per_like=80,
            followers=900,
        ),
        "bluesky": Profile(
            carries=0.7,
            delay_min=(3, 20),
            posts=8,
            chatter=0.4,
            part=0.4,
            replies=0.14,
            reposts=0.1,
            text_chars=300,
            links=0.7,
            person="{name}.sky.example.com",
            joint="-",
            followers=400,
        ),
        "mastodon": Profile(
            carries=0.55,
            delay_min=(5, 25),
            posts=6,
            chatter=0.2,
            part=0.3,
            replies=0.07,
            reposts=0.07,
            text_chars=500,
            links=0.75,
            person="{name}@{host}",
            followers=300,
            hosts=("social.example.org", "tech.example.net", "press.example.com"),
        ),
        "lemmy": Profile(
            carries=0.5,
            delay_min=(8, 30),
            posts=4,
            chatter=0.15,
            part=0.3,
            replies=0.08,
            title_chars=200,
            text_chars=10_000,
            links=0.8,
            like_ratio=True,
            person="{name}@{host}",
            hosts=("lemmy.example.org", "feddit.example.net"),
            places=(
                ("technology@lemmy.example.org", 78_000),
                ("artificial_intelligence@lemmy.example.org", 9_400),
                ("localllm@feddit.example.net", 5_200),
            ),
        ),
        "telegram": Profile(
            carries=0.45,
            delay_min=(4, 20),
            posts=4,
            chatter=0.12,
            text_chars=4_096,
            links=0.7,
            likes=False,
            views_per_member=0.35,
            authors="unnamed",
            past=True,
            places=(("aiwire", 41_000), ("modelwatch", 12_500), ("morninglines", 88_000)),
        ),
        "gdelt": Profile(
            carries=0.6,
            delay_min=(15, 40),
            posts=5,
            chatter=0.2,
            title_chars=200,
            likes=False,
            authors="unnamed",
            places=_OUTLETS,
            articles=True,
        ),
        "youtube": Profile(
            carries=0.4,
            delay_min=(25, 60),
            posts=3,
            chatter=0.06,
            part=0.4,
            replies=0.12,
            title_chars=100,
            text_chars=5_000,
            links=0.0,
            views_per_like=28,
            authors="places",
            past=True,
            places=(("Gradient Descent Daily", 820_000), ("The Inference Hour", 240_000), ("Kernel Panic TV", 61_000)),
        ),
        "stackexchange": Profile(
            carries=0.2,
            delay_min=(20, 60),
            posts=2,
            chatter=0.25,
            part=0.002,
            replies=0.01,
            title_chars=150,
            text_chars=30_000,
            links=0.0,
            views_per_like=60,
            places=(("ai", None), ("datascience", None), ("stackoverflow", None)),
        ),
        "newsletter": Profile(
            carries=0.3,
            delay_min=(20, 60),
            posts=1,
            chatter=0.03,
            title_chars=200,
            text_chars=2_000,
            likes=False,
            authors="unnamed",
            places=(("The Model Letter", 18_000),),
            collector="webhook",
        ),
    }
)
"""By platform, in the order in which stories usually reach them. The newsletter is a source of our own invention, whose
owner sends its issues to the webhook."""
