"""The matcher of one beat: to which story does a new root post belong?

Owns the decision, its stages from cheap to dear, and the index it needs. Pure: reads no clock, sends nothing, and given
the same posts in the same order it decides the same. Must never know where posts come from nor who is told.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from hashlib import blake2b

import msgspec
import numpy as np
import numpy.typing as npt

from ingest.signal import Signal
from streams.resolve.beats import Beat
from streams.resolve.canonical import canonical, links_in
from streams.resolve.embedding import load_embedding
from streams.resolve.text import clean, words
from streams.resolve.titles import slug_of, story_id, title_of
from streams.wire import Assignment, StoryInfo

__all__ = ["Decision", "Features", "Matcher", "MatcherConfig", "Stage"]

HOUR_MS = 3_600_000


class Stage(StrEnum):
    """What decided. A closed list: each value is a metric label."""

    URL = "url"
    NEAR_DUPLICATE = "near_duplicate"
    SIMILAR = "similar"
    NEW = "new"


class MatcherConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How stories are found. One configuration serves every beat and every data set.

    ``similarity``: cosine from which a post joins a story. ``forget_hours``: a story without a new post for so long
    leaves the index. ``text_chars``: how much of title and text is compared.
    """

    embedding: str = "wordllama"
    similarity: float = 0.45
    forget_hours: float = 7 * 24
    text_chars: int = 400


class Features(msgspec.Struct, frozen=True, array_like=True):
    """What the index keeps of a post, enough to rebuild it: the post's id, its keys as a link, what it says."""

    post: str
    links: tuple[str, ...]
    text: str


class Decision(msgspec.Struct, frozen=True):
    """Which story a post belongs to.

    ``score``: how surely, 0 to 1 (1 for a link or a copy). ``merged``: stories that turned out, with this post, to be
    the same as ``story``; they are gone.
    """

    story: str
    founded: bool
    stage: Stage
    score: float
    features: Features
    merged: tuple[str, ...] = ()


class _Story:
    __slots__ = ("info", "keys", "last_ms", "row")

    def __init__(self, info: StoryInfo, row: int) -> None:
        self.info = info
        self.row = row
        self.last_ms = 0
        self.keys: list[str] = []


_decode_features = msgspec.json.Decoder(Features).decode


class Matcher:
    """Gives root posts of one beat to stories, in one pass."""

    def __init__(self, beat: Beat, config: MatcherConfig | None = None) -> None:
        self._beat = beat.name
        self._config = config or MatcherConfig()
        self._embedding = load_embedding(self._config.embedding)
        self._stories: OrderedDict[str, _Story] = OrderedDict()  # least recently posted first
        self._slugs: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._sums: npt.NDArray[np.float32] = np.zeros((64, self._embedding.dimensions), np.float32)
        self._centroids = np.zeros_like(self._sums)
        self._ids: list[str | None] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many stories are live."""
        return len(self._stories)

    def story(self, story: str) -> StoryInfo:
        """Return what the live story ``story`` is called.

        Raises:
            KeyError: no live story has this id.
        """
        return self._stories[story].info

    def decide(self, signal: Signal, at_ms: int) -> Decision:
        """Decide which story the root post ``signal``, seen at ``at_ms``, belongs to, and remember it."""
        features = self._features(signal)
        vector = self._vector(features)
        stage, score, story = self._match(features, vector)
        founded = story is None
        if story is None:
            story = story_id(self._beat, signal.id)
            self._found(self._introduce(story, title_of(signal), signal.created_ms))
        self._add(story, features, vector, at_ms)
        return Decision(story, founded, stage, score, features)

    def adopt(self, info: StoryInfo, assignment: Assignment, at_ms: int) -> None:
        """Take in a decision made before, in the order they were made, so that later ones come out the same."""
        features = _decode_features(assignment.features)
        if info.id not in self._stories:
            self._found(info)
        self._add(info.id, features, self._vector(features), at_ms)

    def expire(self, at_ms: int) -> list[str]:
        """Forget the stories that had no new post for too long before ``at_ms``; return their ids."""
        before_ms = at_ms - int(self._config.forget_hours * HOUR_MS)
        gone: list[str] = []
        for story, state in self._stories.items():
            if state.last_ms >= before_ms:
                break
            gone.append(story)
        for story in gone:
            self._forget(story)
        return gone

    def _features(self, signal: Signal) -> Features:
        links = [signal.permalink, signal.url, *links_in(signal.text or "")]
        keys = dict.fromkeys(key for link in links if link and (key := canonical(link)))
        text = clean(f"{signal.title or ''} {signal.text or ''}", self._config.text_chars)
        return Features(signal.id, tuple(keys), text)

    def _vector(self, features: Features) -> npt.NDArray[np.float32] | None:
        found = words(features.text)
        vector = self._embedding.vector(found)
        norm = float(np.sqrt(np.sum(vector * vector)))
        return vector / np.float32(norm) if norm > 0 else None

    def _match(self, features: Features, vector: npt.NDArray[np.float32] | None) -> tuple[Stage, float, str | None]:
        for key in features.links:
            if key in self._keys:
                return Stage.URL, 1.0, self._keys[key]
        if (copy := _copy_key(features.text)) and copy in self._keys:
            return Stage.NEAR_DUPLICATE, 1.0, self._keys[copy]
        if vector is None or not self._ids:
            return Stage.NEW, 0.0, None
        scores = self._centroids[: len(self._ids)] @ vector
        best = int(scores.argmax())
        score = float(scores[best])
        if score < self._config.similarity:
            return Stage.NEW, max(0.0, score), None
        return Stage.SIMILAR, score, self._ids[best]

    def _introduce(self, story: str, title: str, founded_ms: int) -> StoryInfo:
        slug = slug_of(title, story)
        if slug in self._slugs:
            slug = f"{slug}-{story[-6:]}"
        return StoryInfo(id=story, slug=slug, title=title, beat=self._beat, founded_ms=founded_ms)

    def _found(self, info: StoryInfo) -> None:
        row = self._free.pop() if self._free else len(self._ids)
        if row == len(self._ids):
            self._ids.append(None)
            if row == len(self._sums):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
                self._centroids = np.concatenate([self._centroids, np.zeros_like(self._centroids)])
        self._ids[row] = info.id
        self._stories[info.id] = _Story(info, row)
        self._slugs[info.slug] = info.id

    def _add(self, story: str, features: Features, vector: npt.NDArray[np.float32] | None, at_ms: int) -> None:
        state = self._stories[story]
        state.last_ms = max(state.last_ms, at_ms)
        self._stories.move_to_end(story)
        for key in (*features.links, _copy_key(features.text)):
            if key and key not in self._keys:
                self._keys[key] = story
                state.keys.append(key)
        if vector is not None:
            total = self._sums[state.row]
            total += vector
            self._centroids[state.row] = total / np.sqrt(np.sum(total * total) + np.float32(1e-12))

    def _forget(self, story: str) -> None:
        state = self._stories.pop(story)
        del self._slugs[state.info.slug]
        for key in state.keys:
            del self._keys[key]
        self._sums[state.row] = 0
        self._centroids[state.row] = 0
        self._ids[state.row] = None
        self._free.append(state.row)


def _copy_key(text: str) -> str:
    """Return a key shared by texts of the same words, or "" for a text too short to be anybody's copy."""
    found = words(text)
    if len(found) < 6:
        return ""
    return "=" + blake2b(" ".join(found).encode(), digest_size=12).hexdigest()
