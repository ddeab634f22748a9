"""JSON from a platform over HTTP: the client that collectors share.

Owns the waiting for the rate limiter before each request, and the errors that the loop understands. What bounds a
request is :mod:`transport.http`. Must never know a platform, nor ask again: the loop decides that.
"""

import json
from dataclasses import dataclass
from typing import Final

from ingest.collector import CollectorConfig, CollectorContext
from ingest.errors import error_for_status
from transport.errors import NeverRetryError, RetryLaterError
from transport.http import HttpClient, RequestError

MAX_BODY_BYTES: Final = 4_194_304
"""Largest response, decompressed. Platforms' pages of 100 items have some 100 kB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Parsed JSON; ``witnessed_ms``: when it arrived."""

    json: object
    witnessed_ms: int


class JsonClient:
    """Asks for JSON below ``base_url``, a URL from the settings."""

    def __init__(self, config: CollectorConfig, context: CollectorContext, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._context = context
        self._http = HttpClient(
            timeout_seconds=config.request_timeout_seconds,
            max_body_bytes=MAX_BODY_BYTES,
            operator_urls=[base_url],
            headers={"User-Agent": "hubbub"},
        )

    async def get(self, path: str) -> Answer:
        """Return what the platform answers below ``base_url``; ``path`` begins with a slash.

        Raises:
            CollectError: no usable answer; see :mod:`ingest.errors`.
        """
        await self._context.rate_limiter.acquire()
        try:
            response = await self._http.request("GET", self._base_url + path)
        except RequestError as error:
            kind = NeverRetryError if error.failure == "too_large" else RetryLaterError
            raise kind(f"{path}: {error}") from error
        if (refusal := error_for_status(response.status, response.headers, path)) is not None:
            raise refusal
        try:
            return Answer(json.loads(response.body), self._context.now_ms())
        except (ValueError, RecursionError) as error:
            raise RetryLaterError(f"{path} is not JSON: {response.body[:80]!r}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
