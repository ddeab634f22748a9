"""Stories that stay small, and when each is looked at once more.

Owns the queue of young stories. Must never know what comes of the second look.

Of a single post nobody knows what it is about, nor yet how usual its words are in this stream. Some hours and some
hundred posts later both are known better, and what it belongs to has grown meanwhile.
"""

from __future__ import annotations

from collections import deque

from streams.resolve.matching.story import Story

__all__ = ["Stragglers"]


class Stragglers:
    """Young stories, each of which is due once."""

    def __init__(self, *, after_ms: int, after_posts: int, until_ms: int, most_posts: int) -> None:
        """A story is due when it is ``after_ms`` old and ``after_posts`` posts have come since, whichever is later.

        One that is older than ``until_ms`` by then, or has more than ``most_posts`` posts, or is gone, is left alone.
        """
        self._after_ms, self._after_posts = after_ms, after_posts
        self._until_ms, self._most_posts = until_ms, most_posts
        self._young: deque[tuple[int, int, Story]] = deque()
        self._posts = 0

    def add(self, story: Story, at_ms: int) -> None:
        """Take in a story that was founded at ``at_ms``."""
        self._young.append((at_ms, self._posts, story))

    def due(self, at_ms: int) -> list[Story]:
        """Count a post that came at ``at_ms``; return the stories that are due with it, the oldest first."""
        self._posts += 1
        found: list[Story] = []
        while self._young:
            founded_ms, posts, story = self._young[0]
            if founded_ms + self._after_ms > at_ms or posts + self._after_posts > self._posts:
                break
            self._young.popleft()
            if story.posts <= self._most_posts and at_ms - founded_ms < self._until_ms:
                found.append(story)
        return found
