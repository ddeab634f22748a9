"""The past of Hacker News, from Algolia's index of the site: a thousand items a request.

Owns the windows of time in which it is asked for, oldest first, and what a hit means as an item. Must never know what
becomes of an item. Source: https://hn.algolia.com/api.
"""

from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from ingest.collector import CollectorContext
from ingest.http import JsonClient
from ingest.platforms.hackernews.config import HackerNewsConfig
from transport.errors import RetryLaterError

MAX_HITS: Final = 1_000
"""Most hits that the index gives for a query, whatever its pages."""
WINDOW_S: Final = 3_600
"""The first window; an hour has some 600 items. One with more hits than are given is halved."""
SHORTEST_WINDOW_S: Final = 60
KINDS: Final = ("story", "comment", "poll", "job")


class PastItem(NamedTuple):
    """An item in the form of the site's own API, and the post at the root of its thread."""

    item: object
    root_id: int | None


class _Hit(msgspec.Struct, rename="camel"):
    object_id: str = msgspec.field(name="objectID")
    tags: list[str] = msgspec.field(name="_tags", default_factory=list)
    created_at_i: int | None = msgspec.field(name="created_at_i", default=None)
    author: str | None = None
    title: str | None = None
    url: str | None = None
    points: int | None = None
    num_comments: int | None = msgspec.field(name="num_comments", default=None)
    story_text: str | None = msgspec.field(name="story_text", default=None)
    comment_text: str | None = msgspec.field(name="comment_text", default=None)
    story_id: int | None = msgspec.field(name="story_id", default=None)
    parent_id: int | None = msgspec.field(name="parent_id", default=None)


class Past:
    """Reads from ``from_s`` until ``until_s`` (seconds since 1970), a window at a time."""

    def __init__(self, config: HackerNewsConfig, context: CollectorContext, from_s: int, until_s: int) -> None:
        self._json = JsonClient(config, context, str(config.algolia_url))
        self._now_ms = context.now_ms
        self._window_s = WINDOW_S
        self.from_s, self.until_s = from_s, until_s

    @property
    def is_read(self) -> bool:
        """True when there is nothing more to read."""
        return self.from_s >= self.until_s

    async def next(self) -> tuple[list[PastItem], int, bool]:
        """Return the items of the next window, when they arrived, and whether there were more than were given.

        Raises:
            CollectError: they cannot be had now.
        """
        while True:
            end_s = min(self.from_s + self._window_s, self.until_s)
            query = {
                "tags": f"({','.join(KINDS)})",
                "numericFilters": f"created_at_i>={self.from_s},created_at_i<{end_s}",
                "hitsPerPage": MAX_HITS,
            }
            answer = await self._json.get(f"/api/v1/search_by_date?{urlencode(query)}")
            found = answer.json if isinstance(answer.json, dict) else {}
            hits, total = found.get("hits"), found.get("nbHits")
            if not isinstance(hits, list) or type(total) is not int:
                raise RetryLaterError(f"search_by_date is no list of hits: {str(answer.json)[:100]!r}")
            more = total > len(hits)
            if not more or self._window_s <= SHORTEST_WINDOW_S:
                self.from_s = end_s
                self._window_s = min(WINDOW_S, 2 * self._window_s)
                return [past_item(hit) for hit in reversed(hits)], answer.witnessed_ms, more
            self._window_s //= 2

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()


def past_item(raw: object) -> PastItem:
    """Return a hit as the item that the site's own API gives; as it is, if it is unreadable.

    >>> past_item({"objectID": "8", "_tags": ["comment"], "created_at_i": 9, "comment_text": "Hm", "story_id": 7})
    PastItem(item={'id': 8, 'type': 'comment', 'by': None, 'time': 9, 'title': None, 'text': 'Hm', 'url': None, \
'score': None, 'descendants': None, 'parent': None}, root_id=7)
    """
    try:
        hit = msgspec.convert(raw, _Hit)
        id_ = int(hit.object_id)
    except (msgspec.ValidationError, ValueError):
        return PastItem(raw, None)
    kind = next((kind for kind in KINDS if kind in hit.tags), None)
    item = {
        "id": id_,
        "type": kind,
        "by": hit.author,
        "time": hit.created_at_i,
        "title": hit.title,
        "text": hit.comment_text if kind == "comment" else hit.story_text,
        "url": hit.url,
        "score": None if kind == "comment" else hit.points,
        "descendants": hit.num_comments,
        "parent": hit.parent_id,
    }
    return PastItem(item, hit.story_id if kind == "comment" else id_)
