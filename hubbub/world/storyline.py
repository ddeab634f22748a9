"""A storyline: how one story of a generated world plays out.

Owns when and where its posts come, their headlines and links, and how many votes and replies each gets. Must never
know the other stories: the caller says how loud this one is.

A story comes in waves. It may begin sharply, build up slowly first, or return with a second sharp wave. On a second
platform it starts some minutes later. Posts within a wave, and votes and replies of a post, follow the curves of
``growth.py``.
"""

import random
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from hubbub.world.conversation import MINUTE_MS, Mood, converse, late_ms, remove, second
from hubbub.world.growth import Curve, Grown
from hubbub.world.items import Post, Reply, Wave
from hubbub.world.names import account
from hubbub.world.words import NAMES, Plot

REDDIT_TITLE, HACKERNEWS_TITLE = 300, 80
"""The longest title of a platform, in characters."""
DECORATIONS = ("Breaking: {}", "[News] {}", "{} | {outlet}", "{}...", "{} - thoughts?", "{}!")
"""Variants of a headline when the news is posted again."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """A platform's part of a story. ``likes`` and ``replies`` are final totals over its ``posts``."""

    posts: int
    likes: int
    replies: int


@dataclass(frozen=True, slots=True)
class Burst:
    """A planned wave: when it begins after the onset, its share of the posts, and how quickly they come."""

    after_min: float
    share: float
    scale_min: float
    sharp: bool


UNFOLDINGS: tuple[tuple[Burst, ...], ...] = (
    (Burst(0, 1.0, 45, sharp=True),),
    (Burst(0, 0.4, 25, sharp=True), Burst(160, 0.6, 25, sharp=True)),
    (Burst(0, 0.2, 50, sharp=False), Burst(90, 0.8, 30, sharp=True)),
)
"""How stories unfold: in one sharp wave, in two, or slowly and then in a sharp wave. A later sharp wave is larger than
the one before, and comes when that has nearly ended: so it stands out in the number of items, too."""


@dataclass(slots=True)
class Storyline:
    """One story as it becomes posts, replies and waves. ``facts`` fill the slots of the plot's headlines.

    There are no posts from ``ends_ms`` on.
    """

    rng: random.Random
    story: str
    plot: Plot
    facts: Mapping[str, str]
    onset_ms: int
    ends_ms: int
    places: tuple[str, ...]
    posts: list[Post] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)
    """What the press writes on it: URLs without scheme, host prefix and tracking parameters."""

    @property
    def title(self) -> str:
        """The story's title: the first of the plot's headlines."""
        return self.plot.headlines[0].format(**self.facts)

    @property
    def mood(self) -> Mood:
        """How replies to its posts feel."""
        return Mood(self.facts["org"], self.plot.praise, self.plot.blame)

    def play(self, bursts: tuple[Burst, ...], loudness: Mapping[str, Loudness]) -> None:
        """Create the posts and replies on each platform; the first platform starts at the onset."""
        self.report()
        mood = self.mood
        born: list[list[int]] = [[] for _ in bursts]
        for behind, (platform, amount) in enumerate(loudness.items()):
            delay_ms = behind * self.rng.randint(8, 35) * MINUTE_MS
            headlines = self.headlines(self.rng, REDDIT_TITLE if platform == "reddit" else HACKERNEWS_TITLE)
            slots = list(_slots(bursts, amount.posts))
            weights = [bursts[burst].share / (order + 1) ** 0.9 * self.rng.uniform(0.9, 1.1) for burst, order in slots]
            for (burst, order), weight in zip(slots, weights, strict=True):
                born_ms = self.onset_ms + delay_ms + bursts[burst].after_min * MINUTE_MS
                if order:
                    born_ms += Curve(bursts[burst].scale_min * MINUTE_MS).age_ms(self.rng.random())
                if born_ms >= self.ends_ms:
                    continue
                part = weight / sum(weights)
                votes = self._votes(platform, born_ms, amount.likes * part)
                born[burst].append(votes.born_ms)
                post = self._post(platform, next(headlines), shared_link(self.rng, self.articles), votes)
                self.replies += converse(self.rng, post, round(amount.replies * part), votes.curve, mood)
        self.waves = [
            Wave(min(times_ms), len(times_ms), burst.sharp)
            for burst, times_ms in zip(bursts, born, strict=True)
            if times_ms
        ]

    def _votes(self, platform: str, born_ms: float, likes: float) -> Grown:
        """Return how a post created at ``born_ms`` gathers votes; only Reddit states the share of up-votes."""
        ratio = round(min(0.99, max(0.5, self.rng.gauss(self.plot.up_votes, 0.02))), 2)
        curve = Curve(self.rng.uniform(45, 75) * MINUTE_MS)
        return Grown(second(born_ms), max(2, round(likes)), curve, ratio if platform == "reddit" else None)

    def _post(self, platform: str, title: str, url: str, votes: Grown) -> Post:
        """Create one post; the first on a platform is shown at once."""
        earlier = [post for post in self.posts if post.platform == platform]
        post = Post(
            platform=platform,
            native="",
            author=account(self.rng),
            title=title,
            text="",
            url=url,
            community=self.places[len(earlier) % len(self.places)] if platform == "reddit" else None,
            created_ms=votes.born_ms,
            appears_ms=votes.born_ms + (late_ms(self.rng) if earlier else 0),
            votes=votes,
            story=self.story,
        )
        self._vary(post, earlier)
        self.posts.append(post)
        return post

    def _vary(self, post: Post, earlier: list[Post]) -> None:
        """Turn some of the later posts into crossposts, exact reposts, text posts or removed posts."""
        if not earlier:
            return
        draw = self.rng.random()
        first = earlier[0]
        if draw < 0.12 and post.platform == "reddit" and first.appears_ms < post.created_ms:
            post.crosspost_of, post.title, post.url = first, first.title, first.url
        elif draw < 0.22:
            post.title = first.title
        elif draw < 0.36:
            post.url = None
            post.text = " ".join(headline.format(**self.facts) + "." for headline in self.plot.headlines[1:3])
        elif draw < 0.40:
            remove(self.rng, post)

    def headlines(self, rng: random.Random, most: int) -> Iterator[str]:
        """Yield each wording once, then variants without end; none is longer than ``most`` characters."""
        wordings = [headline.format(**self.facts) for headline in self.plot.headlines]
        decorations: tuple[str, ...] = ("{}",)
        while True:
            for wording in rng.sample(wordings, len(wordings)):
                outlet = rng.choice(NAMES["outlets"])
                yield _shorten(rng.choice(decorations).format(wording, outlet=outlet), most)
            decorations = DECORATIONS

    def report(self) -> None:
        """Let three outlets write an article on the story."""
        day = time.strftime("%Y/%m/%d", time.gmtime(self.onset_ms / 1000))
        words = f"{self.plot.slug}-{self.facts['org']}".lower().replace(" ", "-")
        outlets = self.rng.sample(NAMES["outlets"], 3)
        self.articles = [f"{outlet}/{day}/{words}-{self.rng.randrange(1000, 10_000)}" for outlet in outlets]


def shared_link(rng: random.Random, articles: Sequence[str]) -> str:
    """Return a link to one of the articles, mostly the first, in one of the forms in which links are shared."""
    article = articles[min(int(rng.expovariate(1.1)), len(articles) - 1)]
    host = rng.choice(("", "", "www.", "m.", "amp."))
    tail = rng.choice(
        (
            "",
            "",
            "?utm_source=reddit&utm_medium=social",
            "?utm_campaign=newsletter&fbclid=" + format(rng.getrandbits(48), "x"),
            "?ref=hn#comments",
            "/",
        )
    )
    return f"https://{host}{article}{tail}"


def _slots(bursts: tuple[Burst, ...], posts: int) -> Iterator[tuple[int, int]]:
    """Yield the burst of each post and the post's order within it, by the shares of the bursts."""
    orders = [0] * len(bursts)
    reached = list(accumulate(burst.share for burst in bursts[:-1]))
    for index in range(posts):
        burst = bisect_right(reached, index / posts)
        yield burst, orders[burst]
        orders[burst] += 1


def _shorten(headline: str, most: int) -> str:
    """Return ``headline`` cut at a word, so that it fits."""
    return headline if len(headline) <= most else headline[: most + 1].rsplit(" ", 1)[0].rstrip(" ,:;-")
