"""The world: every post and reply there is or will be, and indexes that find them.

Owns look-ups by id, community and platform. A world is complete from the start and never changes; what is visible in
it is a function of the time asked for. Must never know where its items came from (a seed, a recording), nor how they
look on the wire.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from hubbub.world.items import Community, Item, Platform, Post, Reply, Story
from hubbub.world.timeline import Timeline


class World:
    """Items on two platforms, from ``begins_ms`` to ``ends_ms``; after that nothing new appears."""

    def __init__(
        self,
        posts: Iterable[Post],
        communities: Iterable[Community],
        stories: Sequence[Story],
        begins_ms: int,
        ends_ms: int,
    ) -> None:
        self.begins_ms = begins_ms
        self.ends_ms = ends_ms
        self.stories = tuple(stories)
        self.communities = {community.name.lower(): community for community in communities}
        self._items: dict[str, Item] = {}
        by_platform: dict[str, list[Post]] = defaultdict(list)
        by_community: dict[str, list[Post]] = defaultdict(list)
        for post in posts:
            by_platform[post.platform].append(post)
            by_community[(post.community or "").lower()].append(post)
            self._items[post.signal_id] = post
            self._items.update((reply.signal_id, reply) for reply in post.thread)
        self._posts = {platform: Timeline(posts) for platform, posts in by_platform.items()}
        self._replies = {platform: _replies(posts) for platform, posts in by_platform.items()}
        self._posts_in = {name: Timeline(posts) for name, posts in by_community.items()}
        self._replies_in = {name: _replies(posts) for name, posts in by_community.items()}
        numbered = Timeline(item for item in self._items.values() if item.platform == "hackernews")
        self._numbered = numbered
        self._highest = list(accumulate((int(item.native) for item in numbered.items), max, initial=0))

    def __len__(self) -> int:
        return len(self._items)

    def find(self, signal_id: str) -> Item | None:
        """Return the item that signals with this id observe, whether it has appeared yet or not."""
        return self._items.get(signal_id)

    def posts(self, platform: Platform) -> Timeline[Post]:
        """Return the posts of a platform."""
        return self._posts.get(platform) or Timeline(())

    def replies(self, platform: Platform) -> Timeline[Reply]:
        """Return the replies of a platform."""
        return self._replies.get(platform) or Timeline(())

    def posts_in(self, community: str) -> Timeline[Post]:
        """Return the posts of a community, by its name in any letter case."""
        return self._posts_in.get(community.lower()) or Timeline(())

    def replies_in(self, community: str) -> Timeline[Reply]:
        """Return the replies to posts of a community, by its name in any letter case."""
        return self._replies_in.get(community.lower()) or Timeline(())

    def highest(self, now_ms: int) -> int:
        """Return the highest number that Hacker News has given to an item by ``now_ms``; 0 when there is none."""
        return self._highest[self._numbered.until(now_ms)]


def _replies(posts: Iterable[Post]) -> Timeline[Reply]:
    return Timeline(reply for post in posts for reply in post.thread)
