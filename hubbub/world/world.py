"""The world: every post, reply and repost there is or will be, and indexes that find them.

Owns look-ups by id, community and platform. A world is complete from the start and never changes; what is visible in
it is a function of the time asked for. Must never know where its items came from (a seed, a recording), nor how they
look on the wire.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from hubbub.world.items import Community, Item, Post, Reply, Repost, Story
from hubbub.world.timeline import Timeline

Place = tuple[str, str | None]
"""A platform, or one of its communities in lower case."""


class World:
    """Items on some platforms, from ``begins_ms`` to ``ends_ms``; after that nothing new appears."""

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
        by_place: dict[Place, list[Post]] = defaultdict(list)
        for post in posts:
            by_place[post.platform, None].append(post)
            if post.community is not None:
                by_place[post.platform, post.community.lower()].append(post)
            self._items[post.signal_id] = post
            self._items.update((item.signal_id, item) for item in (*post.thread, *(post.reposts or ())))
        self._posts = {place: Timeline(posts) for place, posts in by_place.items()}
        self._replies = {
            place: Timeline(reply for post in posts for reply in post.thread) for place, posts in by_place.items()
        }
        self._reposts = {
            place: Timeline(repost for post in posts for repost in post.reposts or ())
            for place, posts in by_place.items()
        }
        numbered = Timeline(item for item in self._items.values() if item.platform == "hackernews")
        self._numbered = numbered
        self._highest = list(accumulate((int(item.native) for item in numbered.items), max, initial=0))

    def __len__(self) -> int:
        return len(self._items)

    @property
    def platforms(self) -> list[str]:
        """The platforms with posts, sorted."""
        return sorted(platform for platform, community in self._posts if community is None)

    def find(self, signal_id: str, now_ms: int | None = None) -> Item | None:
        """Return the item that signals with this id observe, if it has appeared by ``now_ms`` (None: even if not)."""
        item = self._items.get(signal_id)
        return item if item is None or now_ms is None or item.there(now_ms) else None

    def posts(self, platform: str, community: str | None = None) -> Timeline[Post]:
        """Return the posts of a platform; only those of ``community`` (in lower case), if it is named."""
        return self._posts.get((platform, community)) or Timeline(())

    def replies(self, platform: str, community: str | None = None) -> Timeline[Reply]:
        """Return the replies to the posts that :meth:`posts` returns."""
        return self._replies.get((platform, community)) or Timeline(())

    def reposts(self, platform: str, community: str | None = None) -> Timeline[Repost]:
        """Return the reposts of the posts that :meth:`posts` returns."""
        return self._reposts.get((platform, community)) or Timeline(())

    def highest(self, now_ms: int) -> int:
        """Return the highest number that Hacker News has given to an item by ``now_ms``; 0 when there is none."""
        return self._highest[self._numbered.until(now_ms)]
