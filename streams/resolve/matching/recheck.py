"""The recheck queue: stories that stay small are matched once more.

Owns the queue of young stories. Must never know what a recheck decides.

A single post does not show its subject, nor how usual its words are in this stream. Some hours and some hundred posts
later both are better known, and the story that it belongs to has grown.
"""

from collections import deque

from streams.resolve.matching.story import LiveStory


class RecheckQueue:
    """Young stories; each is due once."""

    def __init__(self, *, after_ms: int, after_posts: int, until_ms: int, most_posts: int) -> None:
        """A story is due once it is ``after_ms`` old and ``after_posts`` posts have arrived since, whichever is later.

        A story is skipped if it is then older than ``until_ms`` or has more than ``most_posts`` posts.
        """
        self._after_ms, self._after_posts = after_ms, after_posts
        self._until_ms, self._most_posts = until_ms, most_posts
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
            if created_ms + self._after_ms > at_ms or posts + self._after_posts > self._posts:
                break
            self._young.popleft()
            if story.posts <= self._most_posts and at_ms - created_ms < self._until_ms:
                found.append(story)
        return found
