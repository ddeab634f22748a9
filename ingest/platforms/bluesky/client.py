"""Requests to the AppView: counts of posts, profiles of authors.

Owns its two endpoints and the forms of their answers. Must never know what a post says, nor ask again.
"""

from typing import Final
from urllib.parse import urlencode

from ingest.collector import CollectorContext
from ingest.http import Answer, JsonClient
from ingest.platforms.bluesky.config import BlueskyConfig
from transport.errors import RetryLaterError

MAX_IDS: Final = 25
"""Most posts or profiles in one request (their lexicons)."""


class AppView:
    """``app.bsky.feed.getPosts`` and ``app.bsky.actor.getProfiles`` (https://docs.bsky.app/docs/api/)."""

    def __init__(self, config: BlueskyConfig, context: CollectorContext) -> None:
        self._json = JsonClient(config, context, str(config.appview_url))

    async def posts(self, uris: list[str]) -> Answer:
        """Return the posts at up to ``MAX_IDS`` URIs; those that the platform does not show are left out.

        Raises:
            CollectError: no usable answer.
        """
        return await self._list("app.bsky.feed.getPosts", "posts", [("uris", uri) for uri in uris])

    async def profiles(self, actors: list[str]) -> Answer:
        """Return the profiles of up to ``MAX_IDS`` DIDs or handles; as :meth:`posts`."""
        return await self._list("app.bsky.actor.getProfiles", "profiles", [("actors", actor) for actor in actors])

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()

    async def _list(self, method: str, key: str, parameters: list[tuple[str, str]]) -> Answer:
        answer = await self._json.get(f"/xrpc/{method}?{urlencode(parameters)}")
        found = answer.json.get(key) if isinstance(answer.json, dict) else None
        if not isinstance(found, list):
            raise RetryLaterError(f"{method} gives no {key}: {str(answer.json)[:100]!r}")
        return Answer(found, answer.witnessed_ms, answer.headers)
