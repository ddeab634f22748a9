"""Requests to X: the endpoints of the API v2 that the collector needs.

Owns paths and parameters. Must never know what a post means, what it costs, nor ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from ingest.collector import CollectorContext
from ingest.http import JsonClient
from ingest.platforms.x.answers import Posts, as_object, posts_of, problems_of, refusal, titles_of, usage_of
from ingest.platforms.x.config import XConfig
from ingest.platforms.x.rules import Changes, Rule
from ingest.stream import LineStream
from transport.errors import RetryLaterError, UserError

LOOKUP_IDS: Final = 100
"""Most ids in a request for posts."""
LEAST_RESULTS: Final = 10
MOST_RESULTS: Final = 100
"""X searches no fewer and no more posts at a time."""
SILENCE_SECONDS: Final = 45.0
"""X sends an empty line every 20 s; after two that did not come, the stream is broken."""

RULES = "/2/tweets/search/stream/rules"
FIELDS = {
    "tweet.fields": "author_id,conversation_id,created_at,entities,lang,note_tweet,public_metrics,referenced_tweets,"
    "withheld",
    "user.fields": "public_metrics,username",
}
AUTHOR = {"expansions": "author_id"}
ORIGINALS = {"expansions": "author_id,referenced_tweets.id,referenced_tweets.id.author_id"}


class XClient:
    """The endpoints of https://docs.x.com/x-api. Every method raises errors of :mod:`ingest.errors`."""

    def __init__(self, config: XConfig, context: CollectorContext) -> None:
        base_url = str(config.base_url).rstrip("/")
        headers = {"Authorization": f"Bearer {config.bearer_token.get_secret_value()}"}
        self._json = JsonClient(config, context, base_url, headers, refusal=refusal)
        self._fields = FIELDS | (ORIGINALS if config.originals else AUTHOR)
        self._stream_url = f"{base_url}/2/tweets/search/stream?{urlencode(self._fields)}"
        self.stream = LineStream(
            config, context, self._stream_url, [base_url], headers, silence_seconds=SILENCE_SECONDS, refusal=refusal
        )

    def repeat_minutes(self, minutes: int) -> None:
        """Let the next connection of the stream repeat the last ``minutes``."""
        self.stream.url = self._stream_url + (f"&backfill_minutes={minutes}" if minutes else "")

    async def usage(self) -> dict[str, int]:
        """Return how many posts X has counted, by UTC date. Costs nothing."""
        return usage_of((await self._json.get("/2/usage/tweets?days=1&usage.fields=daily_project_usage")).json)

    async def rules(self) -> list[Rule]:
        """Return the rules of the stream. Costs nothing."""
        value = as_object((await self._json.get(RULES)).json, RULES)
        if not {"data", "meta"} & value.keys():
            raise RetryLaterError(f"{RULES} answers without rules")
        try:
            return msgspec.convert(value.get("data", []), list[Rule])
        except (msgspec.ValidationError, RecursionError) as error:
            raise RetryLaterError(f"{RULES} cannot be read: {error}") from error

    async def change_rules(self, wanted: Changes) -> None:
        """Add and delete rules; new ones come first, so that nothing is missed.

        Raises:
            UserError: X does not understand a query.
        """
        for body in ({"add": wanted.add}, {"delete": {"ids": wanted.delete}} if wanted.delete else {}):
            if not any(body.values()):
                continue
            value = as_object((await self._json.post(RULES, body)).json, RULES)
            if titles_of(value) - {"DuplicateRule"}:
                raise UserError(f"X rejects a rule; check the option queries: {problems_of(value)}")

    async def search(self, query: str, results: int, since: str, next_token: str | None) -> Posts:
        """Return a page of the posts that match, newest first. ``since``: the earliest creation (ISO 8601)."""
        params = {**self._fields, "query": query, "max_results": str(results), "start_time": since}
        if next_token is not None:
            params["next_token"] = next_token
        answer = await self._json.get(f"/2/tweets/search/recent?{urlencode(params)}")
        return posts_of(answer.json, answer.witnessed_ms, "/2/tweets/search/recent")

    async def lookup(self, ids: Sequence[str]) -> Posts:
        """Return up to 100 posts as they are now, without those that they refer to."""
        answer = await self._json.get(f"/2/tweets?{urlencode({**FIELDS, **AUTHOR, 'ids': ','.join(ids)})}")
        return posts_of(answer.json, answer.witnessed_ms, "/2/tweets")

    async def close(self) -> None:
        """Close the connections."""
        await self.stream.aclose()
        await self._json.close()
