"""A platform's side of a generated world: what is said there becomes posts, replies and reposts in the platform's form.

Owns the form: titles or none, names, communities, followers, which counts are stated. Must never know why a thing is
said, nor a wire format.
"""

import math
import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hubbub.world.conversation import MINUTE_MS, Mood, converse, late_ms, remove, second
from hubbub.world.growth import Curve, Grown, Observed
from hubbub.world.items import AnyItem, Post, Reply, Repost
from hubbub.world.names import account
from hubbub.world.native_ids import name_items
from hubbub.world.profiles import Profile
from hubbub.world.timeline import place

REMOVED = 0.04
"""The share of posts that are deleted by their authors or removed."""
FOLLOWERS_SPREAD = 1.8
"""Standard deviation of the logarithm of followers: one author in 40 has 30 times as many as the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A post to be. ``headline``: what it is about; ``more``: what else it says. ``interactions``: in the end."""

    created_ms: int
    headline: str
    more: str
    link: str | None
    interactions: float
    replies: int
    reposts: int
    up_votes: float
    mood: Mood
    story: str | None = None


@dataclass(slots=True)
class PlatformSide:
    """One platform of the world of ``seed``, which begins at ``begins_ms``; nothing in it is from ``ends_ms`` on."""

    seed: int
    platform: str
    profile: Profile
    begins_ms: int
    ends_ms: int
    posts: list[Post] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def say(self, rng: random.Random, said: Said) -> None:
        """Add a post and the reactions to it."""
        if said.created_ms >= self.ends_ms:
            return
        profile = self.profile
        community, members = rng.choice(profile.places)
        if profile.articles and said.link is not None:
            community = urlsplit(said.link).hostname
        author = self._person(rng) if profile.authors == "people" else None
        votes = self._votes(rng, said, members or 0)
        title, text = self._wording(said)
        post = Post(
            platform=self.platform,
            native="",
            author=community if profile.authors == "places" else author,
            title=title,
            text=text,
            url=said.link,
            community=community,
            created_ms=said.created_ms,
            appears_ms=said.created_ms + late_ms(rng),
            votes=votes,
            followers=members if profile.authors == "places" else self._followers(author),
            story=said.story,
        )
        if rng.random() < REMOVED:
            remove(rng, post)
        self.posts.append(post)
        for reply in converse(rng, post, said.replies, votes.curve, said.mood, name=self._person):
            reply.followers = self._followers(reply.author)
            self.replies.append(reply)
        if profile.reposts is not None:
            post.reposts = [self._repost(rng, post, votes.curve) for _ in range(said.reposts)]

    def finish(self) -> list[Post]:
        """Give every item its id, put replies and reposts to their posts in order, and return the posts."""
        self.replies = [reply for reply in self.replies if reply.created_ms < self.ends_ms]
        for post in self.posts:
            if post.reposts is not None:
                post.reposts = [repost for repost in post.reposts if repost.created_ms < self.ends_ms]
        reposts = [repost for post in self.posts for repost in post.reposts or ()]
        items: list[AnyItem] = [*self.posts, *self.replies, *reposts]
        name_items(random.Random(f"{self.seed}:numbers:{self.platform}"), self.platform, items)
        for post in self.posts:
            if post.reposts is not None:
                post.reposts.sort(key=place)
        for reply in sorted(self.replies, key=place):
            reply.post.add(reply)
        return self.posts

    def _wording(self, said: Said) -> tuple[str, str]:
        """Return title and text; where posts have no title, the text says both."""
        most, text_chars = self.profile.title_chars, self.profile.text_chars
        if most:
            return said.headline[:most], said.more[:text_chars]
        return "", f"{said.headline}\n{said.more}".strip()[:text_chars]

    def _votes(self, rng: random.Random, said: Said, members: int) -> Grown:
        profile = self.profile
        likes = max(2, round(said.interactions) - 2 * said.replies - 3 * said.reposts)
        views = likes * profile.views_per_like + members * profile.views_per_member
        return Grown(
            born_ms=said.created_ms,
            final=likes if profile.likes else None,
            curve=Curve(rng.uniform(30, 60) * MINUTE_MS),
            ratio=round(min(0.99, max(0.5, rng.gauss(said.up_votes, 0.02))), 2) if profile.like_ratio else None,
            views=round(views * rng.uniform(0.8, 1.2)) if views else None,
        )

    def _repost(self, rng: random.Random, post: Post, curve: Curve) -> Repost:
        created_ms = second(post.appears_ms + 1000 + curve.age_ms(rng.random()))
        author = self._person(rng)
        return Repost(
            platform=self.platform,
            native="",
            author=author,
            text="",
            created_ms=created_ms,
            appears_ms=created_ms,
            votes=Observed((), ()),
            followers=self._followers(author),
            post=post,
        )

    def _person(self, rng: random.Random) -> str:
        name = account(rng).replace("-", "_").replace("_", self.profile.joint)
        return self.profile.person.format(name=name, host=rng.choice(self.profile.hosts))

    def _followers(self, author: str | None) -> int | None:
        """Return how many follow ``author``: always the same number."""
        if author is None or not self.profile.followers:
            return None
        rng = random.Random(f"{self.seed}:followers:{author}")
        return round(rng.lognormvariate(math.log(self.profile.followers), FOLLOWERS_SPREAD))
