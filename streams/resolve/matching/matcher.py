"""The matcher of one beat: to which story does a new root post belong?

Owns the decision and its stages, from cheap to dear, and when stories are merged. Pure: reads no clock, sends nothing,
and given the same posts in the same order it decides the same. Must never know where posts come from nor who is told.

What is measured, and why it is as it is, stands in docs/explanation/matching.md.
"""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from ingest.signal import Signal
from streams.records.stories import Assignment, Lesson, StoryInfo
from streams.resolve.matching.activity import HOUR_MS
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.embedding import load_embedding
from streams.resolve.matching.features import Features, read
from streams.resolve.matching.index import Index
from streams.resolve.matching.recheck import Stragglers
from streams.resolve.matching.similarity import Affinity, Weights
from streams.resolve.matching.story import Post, Reading, Story
from streams.resolve.matching.titles import slug_of, story_id, title_of

__all__ = ["Decision", "Matcher", "MatcherConfig", "Stage"]


class Stage(StrEnum):
    """What decided. A closed list: each value is a metric label."""

    URL = "url"
    NEAR_DUPLICATE = "near_duplicate"
    SIMILAR = "similar"
    NEW = "new"


class MatcherConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How stories are found. One configuration serves every beat and every data set.

    ``join``: the affinity from which a post joins a story. ``merge_one`` and ``merge_many``: the mean affinity from
    which a story of one post, or two large ones, are merged; ``merge_cosine``: how alike they must be then. ``rival``:
    a story that falls short of ``join`` by no more than this is held against the one that was joined. ``strangers``: if
    more than this share of the posts have found no company, all of that takes more.

    A story that has no more than ``look_most`` posts when it is ``look_hours`` old and ``look_posts`` posts have come
    since, is looked at again: it becomes part of the nearest larger one if its affinity to that and ``look_lead`` times
    the lead over the next (at most ``most_lead``), are at least ``look_join`` together.

    ``common`` and ``telling``, ``quiet``, ``grown_hours``, ``reach_hours``, ``forget_hours``, ``max_stories``: see
    :class:`Index`. ``text_chars``: how much of title and text is read.
    """

    embedding: str = "wordllama"
    text_chars: int = 400
    join: float = 4.5
    merge_one: float = 4.0
    merge_many: float = 3.0
    merge_cosine: float = 0.5
    rival: float = 3.5
    strangers: float = 0.3
    look_hours: float = 4.0
    look_posts: int = 300
    look_most: int = 8
    look_join: float = 4.0
    look_lead: float = 0.8
    most_lead: float = 4.0
    common: float = 0.005
    telling: float = 0.001
    quiet: float = 0.9
    grown_hours: float = 24.0
    reach_hours: float = 48.0
    forget_hours: float = 7 * 24
    max_stories: int = 200_000
    weights: Weights = Weights()


class Decision(msgspec.Struct, frozen=True):
    """Which story a post belongs to.

    ``score``: the affinity; 0 for a new story, a link or a copy. ``merged``: stories that turned out, with this post,
    to be the same as others, ``story`` or any; each with the one that it became part of, in order.
    """

    story: str
    created: bool
    stage: Stage
    score: float
    features: Features
    merged: tuple[tuple[str, str], ...] = ()


MAX_RIVALS = 4
MAX_ALIKE = 40
LARGE = 8
"""Two stories of at least so many posts are compared only every so many posts: it takes a while."""
MAX_LARGER = 8
EXPECTED_POSTS = 50
"""Until so many have come, a stream is taken for one with as many strangers as usual."""

_decode_features = msgspec.json.Decoder(Features).decode


class Matcher:
    """Gives root posts of one beat to stories, in one pass."""

    def __init__(self, beat: Beat, config: MatcherConfig | None = None) -> None:
        self._beat = beat.name
        self._config = config = config or MatcherConfig()
        self._index = Index(
            load_embedding(config.embedding),
            common=config.common,
            telling=config.telling,
            quiet=config.quiet,
            grown_hours=min(config.grown_hours, config.forget_hours / 2),
            reach_hours=config.reach_hours,
            max_stories=config.max_stories,
        )
        self._affinity = Affinity(self._index, config.weights)
        self._usual_odds = math.log(config.strangers / (1 - config.strangers))
        self._stragglers = Stragglers(
            after_ms=int(config.look_hours * HOUR_MS),
            after_posts=config.look_posts,
            until_ms=int(config.forget_hours * HOUR_MS),
            most_posts=config.look_most,
        )
        self._apart: list[tuple[Story, Story]] = []
        """Stories that people have told apart: they are not merged again."""

    def __contains__(self, story: str) -> bool:
        """Say whether there is a live story ``story``."""
        return story in self._index.stories

    def __len__(self) -> int:
        """How many stories are live."""
        return len(self._index.stories)

    def story(self, story: str) -> StoryInfo:
        """Return what the live story ``story`` is called.

        Raises:
            KeyError: no live story has this id.
        """
        return self._index.stories[story].info

    def read(self, signal: Signal) -> Reading:
        """Read a post ahead of the decision on it. Many at a time are read faster than one between two decisions."""
        return self._index.read(read(signal, self._config.text_chars))

    def decide(self, signal: Signal, at_ms: int, reading: Reading | None = None) -> Decision:
        """Decide which story the root post ``signal``, seen at ``at_ms``, belongs to, and remember it.

        ``reading``: what :meth:`read` has returned for it.
        """
        self._index.advance(at_ms)
        reading = reading or self.read(signal)
        features, post = reading.features, self._index.post(reading)
        stage, score, joined, rivals = self._match(reading, post, at_ms)
        created = joined is None
        if joined is None:
            joined = self._introduce(signal, at_ms)
        self._index.add(joined, post, at_ms)
        story, met = (joined, ()) if created else self._merge(joined, rivals)
        merged = [(gone, story.info.id) for gone in (joined.info.id, *met) if gone != story.info.id]
        late = self._look_again(at_ms)
        if met or late:
            features = msgspec.structs.replace(features, joined=joined.info.id, met=tuple(met), late=tuple(late))
        if created:
            self._stragglers.add(story, at_ms)
        return Decision(self._index.last(story).info.id, created, stage, score, features, (*merged, *late))

    def adopt(self, info: StoryInfo, assignment: Assignment, at_ms: int) -> None:
        """Take in a decision made before, in the order they were made, so that later ones come out the same."""
        self._index.advance(at_ms)
        features = _decode_features(assignment.features)
        stories = self._index.stories
        story = stories.get(features.joined or info.id) or stories.get(info.id)
        created = story is None
        if story is None:
            story = self._index.found(info, at_ms)
        self._index.add(story, self._index.post(self._index.read(features)), at_ms)
        for other in features.met:
            if other in stories:
                story = self._index.merge(*_larger_first(story, stories[other]))
        self._stragglers.due(at_ms)
        for gone, into in features.late:
            if gone in stories and into in stories:
                self._index.merge(stories[into], stories[gone])
        if created:
            self._stragglers.add(story, at_ms)

    def learn(self, lesson: Lesson, at_ms: int) -> None:
        """Learn, at ``at_ms``, where people say that a post belongs: what is like it comes there, and stays apart."""
        index, stories = self._index, self._index.stories
        post = index.post(index.read(_decode_features(lesson.features)))
        into = stories.get(lesson.into.id) or index.found(lesson.into, at_ms)
        story = stories.get(lesson.story)
        if story is into:
            return
        if story is not None and story.said().keys() >= set(post.terms):
            index.move(post, story, into, at_ms)
        else:
            index.add(into, post, at_ms)
        if story is not None:
            self._apart.append((story, into))

    def merge(self, gone: str, into: str) -> None:
        """Learn that the story ``gone`` is part of ``into``, if both are live."""
        stories = self._index.stories
        if gone in stories and into in stories:
            self._index.merge(stories[into], stories[gone])

    def expire(self, at_ms: int) -> list[str]:
        """Forget the stories that had no new post for too long before ``at_ms``; return their ids."""
        self._index.advance(at_ms)
        gone = self._index.forget_before(at_ms - int(self._config.forget_hours * HOUR_MS))
        last, live = self._index.last, self._index.stories
        self._apart = [pair for pair in self._apart if all(last(story).info.id in live for story in pair)]
        return gone

    def _match(
        self, reading: Reading, post: Post, at_ms: int
    ) -> tuple[Stage, float, Story | None, list[tuple[float, Story]]]:
        """Return what decides, how surely, for which story, and the other stories that come near."""
        known = self._index.by_key(post.keys)
        if known is not None:
            key, story = known
            stage = Stage.NEAR_DUPLICATE if key == reading.copy else Stage.URL
            return stage, 0.0, story, []
        join = self._config.join + self._reluctance()
        near = self._affinity.nearest(post, at_ms, join - self._config.rival)
        if not near or near[0][0] < join:
            return Stage.NEW, 0.0, None, []
        (score, story), *rivals = near
        return Stage.SIMILAR, score, story, rivals

    def _reluctance(self) -> float:
        """Return how much more evidence is asked for where posts that are of no story are more than usual.

        By how much the odds that a post is one, in the logarithm that affinity is in, are against it before it is read.
        """
        index, usual = self._index, self._config.strangers
        share = (len(index.stories) + EXPECTED_POSTS * usual) / (index.posts + EXPECTED_POSTS)
        return max(0.0, math.log(share / (1 - share)) - self._usual_odds)

    def _introduce(self, signal: Signal, at_ms: int) -> Story:
        identity = story_id(self._beat, signal.id)
        title = title_of(signal)
        slug = slug_of(title, identity)
        if slug in self._index.slugs:
            slug = f"{slug}-{identity[-6:]}"
        info = StoryInfo(id=identity, slug=slug, title=title, beat=self._beat, founded_ms=signal.created_ms)
        return self._index.found(info, at_ms)

    def _merge(self, story: Story, rivals: list[tuple[float, Story]]) -> tuple[Story, list[str]]:
        """Merge ``story`` with what turns out to be the same; return what it became, and the others by id, in order."""
        met: list[str] = []
        others = [rival for _, rival in rivals[: MAX_RIVALS - 1]]
        if story.posts >= 4 and story.posts & (story.posts - 1) == 0:
            others += self._affinity.alike(story, MAX_ALIKE)
        for other in dict.fromkeys(others):
            if other is not story and other.into is None and self._are_one(story, other):
                met.append(other.info.id)
                story = self._index.merge(*_larger_first(story, other))
        return story, met

    def _look_again(self, at_ms: int) -> list[tuple[str, str]]:
        """Merge the small stories that are due with what they turn out to be part of; return them, each with that.

        They have been found to be strangers before, so where these are many it takes twice as much more.
        """
        config, merged = self._config, []
        for story in self._stragglers.due(at_ms):
            if self._index.stories.get(story.info.id) is not story or not story.posts:
                continue
            join = config.look_join + 2 * self._reluctance()
            least = join - config.look_lead * config.most_lead
            near = self._affinity.larger(story, least, config.most_lead, MAX_LARGER)
            if not near or self._are_apart(story, near[0][1]):
                continue
            affinity, other = near[0]
            lead = min(config.most_lead, affinity - near[1][0]) if len(near) > 1 else config.most_lead
            if affinity + config.look_lead * lead >= join:
                merged.append((story.info.id, self._index.merge(other, story).info.id))
        return merged

    def _are_apart(self, story: Story, other: Story) -> bool:
        last = self._index.last
        return any({last(one), last(another)} == {story, other} for one, another in self._apart)

    def _are_one(self, story: Story, other: Story) -> bool:
        if self._are_apart(story, other):
            return False
        few, many = (story, other) if story.posts <= other.posts else (other, story)
        config = self._config
        if few.posts >= LARGE and story.posts % LARGE:
            return False
        if few.posts > 2 and self._index.cosine(few, many) < config.merge_cosine:
            return False
        reluctance = self._reluctance()
        affinity = self._affinity.of_posts(few, many, config.merge_many + reluctance) - reluctance
        if affinity < config.merge_many:
            return False
        # One post is judged as if it came now; of two stories each must be near the other.
        if few.posts > 1:
            back = 0.5 - 0.5 / few.posts
            affinity += back * (self._affinity.of_posts(many, few, -math.inf) - reluctance - affinity)
        return affinity >= config.merge_many + (config.merge_one - config.merge_many) / math.sqrt(few.posts)


def _larger_first(one: Story, other: Story) -> tuple[Story, Story]:
    """Return two stories, the larger first, or else the older."""
    return (one, other) if (one.posts, -one.number) >= (other.posts, -other.number) else (other, one)
