"""The recheck queue: stories that stay small are matched once more.

Owns the queue of young stories. Must never know what a recheck decides.

A single post does not show its subject, nor how usual its words are in this stream. Some hours and some hundred posts
later both are better known, and the story that it belongs to has grown.
"""

from collections import deque

from scoring.settings import HOUR_MS
from streams.resolve.matching.config import MatcherConfig
from streams.resolve.matching.story import LiveStory


class RecheckQueue:
    """Young stories; each is due once."""

    def __init__(self, config: MatcherConfig) -> None:
        self._config = config
        self._after_ms, self._forget_ms = int(config.recheck_hours * HOUR_MS), int(config.forget_hours * HOUR_MS)
        self._young: deque[tuple[int, int, LiveStory]] = deque()
        self._posts = 0

    def add(self, story: LiveStory, at_ms: int) -> None:
        """Add a story that was created at ``at_ms``."""
        self._young.append((at_ms, self._posts, story))

    def due(self, at_ms: int) -> list[LiveStory]:
        """Count a post that arrived at ``at_ms``; return the stories that become due with it, oldest first."""
        self._posts += 1
        found: list[LiveStory] = []
        while self._young:
            created_ms, posts, story = self._young[0]
            if created_ms + self._after_ms > at_ms or posts + self._config.recheck_posts > self._posts:
                break
            self._young.popleft()
            if story.posts <= self._config.recheck_max_posts and at_ms - created_ms < self._forget_ms:
                found.append(story)
        return found
