"""The matcher of one beat: decides which story a new root post belongs to.

Owns the decision, its stages from cheap to expensive, and the merging of stories. Pure: reads no clock and sends
nothing; the same posts in the same order give the same decisions. Must never know where posts come from.

docs/explanation/matching.md explains what is measured, and why.
"""

import math
from enum import StrEnum

import msgspec

from ingest.signal import Signal
from scoring.settings import HOUR_MS
from streams.records.stories import Assignment, Lesson, StoryInfo
from streams.resolve.matching.beats import Beat
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.embedding import stem
from streams.resolve.matching.features import Features, read
from streams.resolve.matching.index import StoryIndex
from streams.resolve.matching.recheck import RecheckQueue
from streams.resolve.matching.similarity import Similarity
from streams.resolve.matching.story import IndexedPost, LiveStory, ParsedPost, current
from streams.resolve.matching.titles import slug_of, story_id, title_of


class MatchStage(StrEnum):
    """What decided. A closed list: each value is a metric label."""

    URL = "url"
    NEAR_DUPLICATE = "near_duplicate"
    SIMILAR = "similar"
    NEW = "new"


class Decision(msgspec.Struct, frozen=True):
    """Which story a post belongs to. ``merged``: pairs of a story and the one that this merged it into, in order."""

    story: str
    created: bool
    stage: MatchStage
    features: Features
    merged: tuple[tuple[str, str], ...] = ()


MAX_SHARED = 5
"""Shared words that are kept as the reason of a decision."""
MAX_RIVALS = 4
"""Bounds the comparisons of a joined story with those that came near."""
MAX_ALIKE = 40
"""Bounds the same when a story has doubled, which happens once for each power of two."""
LARGE = 8
"""Two stories with at least this many posts are compared only at multiples of it, since that is slow."""
MAX_LARGER = 8
"""Bounds the comparisons of a recheck."""
EXPECTED_POSTS = 50
"""The weight, in posts, of the usual background share: it rules until about this many posts have arrived."""

_decode_features = msgspec.json.Decoder(Features).decode


class Matcher:
    """Assigns root posts of one beat to stories, in one pass."""

    def __init__(self, beat: Beat, config: MatcherConfig | None = None) -> None:
        self._beat = beat.name
        self._config = config = config or MatcherConfig()
        self._index = StoryIndex(config)
        self._similarity = Similarity(self._index, config.weights)
        self._usual_odds = math.log(config.background / (1 - config.background))
        self._recheck_queue = RecheckQueue(config)
        self._kept_apart: list[tuple[LiveStory, LiveStory]] = []
        """Stories that operators split: they are never merged again."""

    def __contains__(self, story: str) -> bool:
        """Return whether ``story`` is live."""
        return story in self._index.stories

    def __len__(self) -> int:
        """The number of live stories."""
        return len(self._index.stories)

    def story(self, story: str) -> StoryInfo:
        """Return the title and more of the live story ``story``.

        Raises:
            KeyError: no live story has this id.
        """
        return self._index.stories[story].info

    def read(self, signal: Signal) -> ParsedPost:
        """Parse a post ahead of its decision. Parsing many together is faster than between decisions."""
        return self._index.read(read(signal, self._config.text_chars))

    def decide(self, signal: Signal, at_ms: int, parsed: ParsedPost | None = None) -> Decision:
        """Decide which story the root post ``signal``, seen at ``at_ms``, belongs to, and remember it.

        ``parsed``: what :meth:`read` returned for it.
        """
        self._index.advance(at_ms)
        self._index.make_room()
        parsed = parsed or self.read(signal)
        features, post = parsed.features, self._index.post(parsed)
        stage, joined, rivals = self._match(parsed, post, at_ms)
        created = joined is None
        if joined is None:
            joined = self._create(signal, at_ms)
        elif because := self._because(stage, parsed, post, joined, at_ms):
            features = msgspec.structs.replace(features, because=because)
        self._index.add(joined, post, at_ms)
        story, met = (joined, ()) if created else self._merge(joined, rivals)
        merged = [(gone, story.info.id) for gone in (joined.info.id, *met) if gone != story.info.id]
        late = self._recheck(at_ms)
        if met or late:
            features = msgspec.structs.replace(features, joined=joined.info.id, met=tuple(met), late=tuple(late))
        if created:
            self._recheck_queue.add(story, at_ms)
        return Decision(current(story).info.id, created, stage, features, (*merged, *late))

    def adopt(self, info: StoryInfo, assignment: Assignment, at_ms: int) -> None:
        """Repeat an earlier decision. Adopt all of them in their order, so that later decisions come out the same."""
        self._index.advance(at_ms)
        self._index.make_room()
        features = _decode_features(assignment.features)
        stories = self._index.stories
        story = stories.get(features.joined or info.id) or stories.get(info.id)
        created = story is None
        if story is None:
            story = self._index.create(info, at_ms)
        self._index.add(story, self._index.post(self._index.read(features)), at_ms)
        for other in features.met:
            if other in stories:
                story = self._index.merge(*_larger_first(story, stories[other]))
        self._recheck_queue.due(at_ms)
        for gone, into in features.late:
            self.merge(gone, into)
        if created:
            self._recheck_queue.add(story, at_ms)

    def learn(self, lesson: Lesson, at_ms: int) -> None:
        """Learn where an operator put a post at ``at_ms``: similar posts follow it, and the two stories stay apart."""
        index, stories = self._index, self._index.stories
        index.advance(at_ms)
        index.make_room()
        post = index.post(index.read(_decode_features(lesson.features)))
        into = stories.get(lesson.into.id) or index.create(lesson.into, at_ms)
        story = stories.get(lesson.story)
        if story is into:
            return
        if story is not None and story.said().keys() >= set(post.terms):
            index.move(post, story, into, at_ms)
        else:
            index.add(into, post, at_ms)
        if story is not None:
            self._kept_apart.append((story, into))

    def merge(self, gone: str, into: str) -> None:
        """Merge the story ``gone`` into ``into``, if both are live."""
        stories = self._index.stories
        if gone in stories and into in stories:
            self._index.merge(stories[into], stories[gone])

    def expire(self, at_ms: int) -> list[str]:
        """Drop the stories without a new post for too long before ``at_ms``; return their ids."""
        self._index.advance(at_ms)
        gone = self._index.expire_before(at_ms - int(self._config.forget_hours * HOUR_MS))
        live = self._index.stories
        self._kept_apart = [pair for pair in self._kept_apart if all(current(story).info.id in live for story in pair)]
        return gone

    def _match(
        self, parsed: ParsedPost, post: IndexedPost, at_ms: int
    ) -> tuple[MatchStage, LiveStory | None, list[LiveStory]]:
        """Return the stage that decides, the story, and the other stories that come near."""
        for key, story in self._index.same_pages(post):
            if key == parsed.copy:
                return MatchStage.NEAR_DUPLICATE, story, []
            if post.series not in story.series:
                return MatchStage.URL, story, []
        join = self._config.join + self._background_penalty()
        near = self._similarity.nearest(post, at_ms, join - self._config.rival)
        if not near or near[0].similarity < join:
            return MatchStage.NEW, None, []
        first, *rivals = near
        stage = MatchStage.URL if first.similarity - first.by_link < join else MatchStage.SIMILAR
        return stage, first.story, [other.story for other in rivals]

    def _because(
        self, stage: MatchStage, parsed: ParsedPost, post: IndexedPost, story: LiveStory, at_ms: int
    ) -> tuple[str, ...]:
        """Return what the post shares with ``story``: one link, or the words that tell most."""
        features = parsed.features
        if stage is MatchStage.URL:
            keys = self._index.linked(post).get(story) or [key for key, _ in self._index.same_pages(post)]
            return tuple([link for link, key in zip(features.links, parsed.links, strict=True) if key in keys][:1])
        if stage is MatchStage.SIMILAR:
            words = {stem(word): word for word in (*features.linked, *features.words)}
            shared = self._similarity.shared(post, story, at_ms, MAX_SHARED)
            return tuple([words.get(text, text) for text in shared])
        return ()

    def _background_penalty(self) -> float:
        """Return how much more evidence a join needs while more posts than usual have no story.

        It is the log odds that a post has no story, above the usual; similarity is in the same logarithm.
        """
        index, usual = self._index, self._config.background
        share = (len(index.stories) + EXPECTED_POSTS * usual) / (index.posts + EXPECTED_POSTS)
        return max(0.0, math.log(share / (1 - share)) - self._usual_odds)

    def _create(self, signal: Signal, at_ms: int) -> LiveStory:
        identity = story_id(self._beat, signal.id)
        title = title_of(signal)
        slug = slug_of(title, identity)
        if slug in self._index.slugs:
            slug = f"{slug}-{identity[-6:]}"
        info = StoryInfo(id=identity, slug=slug, title=title, beat=self._beat, founded_ms=signal.created_ms)
        return self._index.create(info, at_ms)

    def _merge(self, story: LiveStory, rivals: list[LiveStory]) -> tuple[LiveStory, list[str]]:
        """Merge ``story`` with the stories that are the same; return the result, and the ids of the others in order."""
        met: list[str] = []
        others = rivals[: MAX_RIVALS - 1]
        if story.posts >= 4 and story.posts & (story.posts - 1) == 0:
            others += self._similarity.most_alike(story, MAX_ALIKE)
        for other in dict.fromkeys(others):
            if other is not story and other.into is None and self._are_one(story, other):
                met.append(other.info.id)
                story = self._index.merge(*_larger_first(story, other))
        return story, met

    def _recheck(self, at_ms: int) -> list[tuple[str, str]]:
        """Merge the small stories that are due into larger ones; return the pairs.

        They found no story before, so where background posts are many, the penalty counts several times.
        """
        config, merged = self._config, []
        for story in self._recheck_queue.due(at_ms):
            if self._index.stories.get(story.info.id) is not story or not story.posts:
                continue
            join = config.recheck_join + config.recheck_caution * self._background_penalty()
            least = join - config.recheck_lead * config.max_lead
            near = self._similarity.larger(story, least, config.max_lead, MAX_LARGER)
            near = [(similarity, other) for similarity, other in near if not self._are_kept_apart(story, other)]
            if not near:
                continue
            similarity, other = near[0]
            lead = min(config.max_lead, similarity - near[1][0]) if len(near) > 1 else config.max_lead
            if similarity + config.recheck_lead * lead >= join:
                merged.append((story.info.id, self._index.merge(other, story).info.id))
        return merged

    def _are_kept_apart(self, story: LiveStory, other: LiveStory) -> bool:
        """Return whether an operator split them, or the smaller is by the author of a series that both have."""
        if story.series and not set(story.series).isdisjoint(other.series):
            _, few = _larger_first(story, other)
            if few.main_source()[0]:
                return True
        return any({current(one), current(another)} == {story, other} for one, another in self._kept_apart)

    def _are_one(self, story: LiveStory, other: LiveStory) -> bool:
        if self._are_kept_apart(story, other):
            return False
        few, many = (story, other) if story.posts <= other.posts else (other, story)
        config = self._config
        if few.posts >= LARGE and story.posts % LARGE:
            return False
        if few.posts > 2 and self._index.cosine(few, many) < config.merge_cosine:
            return False
        penalty = config.merge_caution * self._background_penalty()
        similarity = self._similarity.between_stories(few, many, config.merge_many + penalty) - penalty
        if similarity < config.merge_many:
            return False
        # One post is judged as if it arrived now; of two stories, each must be similar to the other.
        if few.posts > 1:
            back = 0.5 - 0.5 / few.posts
            similarity += back * (self._similarity.between_stories(many, few, -math.inf) - penalty - similarity)
        return similarity >= config.merge_many + (config.merge_one - config.merge_many) / math.sqrt(few.posts)


def _larger_first(one: LiveStory, other: LiveStory) -> tuple[LiveStory, LiveStory]:
    """Return two stories, the larger one first, or the older one if they are equal."""
    return (one, other) if (one.posts, -one.number) >= (other.posts, -other.number) else (other, one)
