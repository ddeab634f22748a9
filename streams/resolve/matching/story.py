"""The parts of the story index: terms, posts and stories.

Owns what is kept of each, as compactly as possible: there are a hundred thousand of them. Must never update one part
when another changes; that is the index's business.
"""

from array import array
from dataclasses import dataclass

from streams.records.stories import StoryInfo
from streams.resolve.matching.embedding import Tokens
from streams.resolve.matching.features import Features
from streams.resolve.matching.post_rate import PostRate


class Term:
    """A stem: the number of live posts with it, how many of those are fresh, and its counts by story.

    ``alone`` holds the numbers of the stories with one post, which are most stories; ``stories`` holds the larger ones.
    """

    __slots__ = ("alone", "fresh", "posts", "prior", "stem", "stories", "weight")

    def __init__(self, text: str, prior: float, weight: float) -> None:
        self.stem = text
        self.prior = prior
        self.weight = weight
        self.posts = 0
        self.fresh = 0
        self.alone = array("Q")
        self.stories: dict[LiveStory, int] = {}


@dataclass(frozen=True, slots=True)
class ParsedPost:
    """A post before it is compared with any other.

    ``links``: keys of its links; ``copy``: a key of its words, None if they are too few to identify copies.
    """

    features: Features
    stems: tuple[str, ...]
    tokens: Tokens
    links: tuple[int, ...]
    copy: int | None


@dataclass(frozen=True, slots=True)
class IndexedPost:
    """A post as the index sees it. ``strength``: the sum of its terms' weights; ``tokens``: its meaning."""

    terms: list[Term]
    strength: float
    tokens: Tokens
    keys: tuple[int, ...]


class LiveStory:
    """A live story: the number of its posts, their terms and their times.

    Most stories have one post. Such a story has ``only`` (the post's terms) and ``tokens`` (its meaning) instead of
    ``terms``, ``post_rate`` and ``row``. ``slugs``: of the stories merged into it. ``into``: the story it merged into.
    """

    __slots__ = (
        "first_ms",
        "fresh",
        "info",
        "into",
        "keys",
        "last_ms",
        "length",
        "number",
        "only",
        "post_rate",
        "posts",
        "row",
        "share",
        "slugs",
        "strength",
        "terms",
        "tokens",
    )  # fmt: skip

    def __init__(self, info: StoryInfo, number: int, at_ms: int) -> None:
        self.info = info
        self.number = number
        self.row: int | None = None
        self.first_ms = self.last_ms = at_ms
        self.posts = 0
        self.fresh = 0
        self.share = 0.0
        self.length = 0.0
        self.strength = 0.0
        self.terms: dict[Term, int] | None = None
        self.post_rate: PostRate | None = None
        self.keys: tuple[int, ...] = ()
        self.slugs: tuple[str, ...] = ()
        self.only: list[Term] = []
        self.tokens: Tokens = b""
        self.into: LiveStory | None = None

    def said(self) -> dict[Term, int]:
        """Return the number of its posts with each term."""
        return dict.fromkeys(self.only, 1) if self.terms is None else self.terms

    def faded(self, at_ms: int, decay_hours: float) -> float:
        """Return how far its post rate at ``at_ms`` is below the peak: see :class:`PostRate`."""
        return (self.post_rate or PostRate(self.last_ms, posts=1)).faded(at_ms, decay_hours)
