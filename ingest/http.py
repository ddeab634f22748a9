"""Requests to a platform over HTTP: the clients that collectors share.

Owns the waiting for the rate limiter before each request, and the errors that the loop understands. What bounds a
request is :mod:`transport.http`. Must never know a platform, nor ask again: the loop decides that.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.collector import CollectorConfig, CollectorContext
from ingest.errors import CollectError, error_for_status
from transport.errors import NeverRetryError, RetryLaterError
from transport.http import HttpClient, RequestError, Response, url_name

MAX_BODY_BYTES: Final = 4_194_304
"""Largest response, decompressed. Platforms' pages of 100 items have some 100 kB."""
USER_AGENT: Final = "hubbub"
PAGE_STATUSES: Final = frozenset({301, 302, 303, 304, 307, 308, 404, 410})
"""Statuses that say something about a page itself, so the collector decides what they mean."""

Refusal = Callable[[Response, str], CollectError | None]
"""What a response means as an error, None for a success. The text says what was asked for, for the message."""


def refusal_by_status(response: Response, what: str) -> CollectError | None:
    """Return the error that the status stands for. A platform that explains refusals in the body reads that first."""
    return error_for_status(response.status, response.headers, what)


@dataclass(frozen=True, slots=True)
class Answer:
    """Parsed JSON; ``witnessed_ms``: when it arrived. ``headers`` ignore letter case."""

    json: object
    witnessed_ms: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """A response of any form; ``witnessed_ms``: when it arrived. ``headers`` ignore letter case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    witnessed_ms: int


class PageClient:
    """Asks for pages of any form, with the same bounds and errors as for JSON.

    ``operator_urls``: URLs from the settings; only their hosts may have private addresses. ``headers``: sent with every
    request. ``refusal``: what a response means as an error.
    """

    def __init__(
        self,
        config: CollectorConfig,
        context: CollectorContext,
        operator_urls: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        *,
        refusal: Refusal = refusal_by_status,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._context = context
        self._refusal = refusal
        self._http = HttpClient(
            timeout_seconds=config.request_timeout_seconds,
            max_body_bytes=max_body_bytes,
            operator_urls=operator_urls,
            headers={"User-Agent": USER_AGENT, **(headers or {})},
        )

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Page:
        """Return what ``url`` answers: a success, or one of ``PAGE_STATUSES``. It follows no redirect.

        Raises:
            CollectError: no usable answer; see :mod:`ingest.errors`. The message holds no secret of ``url``.
        """
        response = await self.request("GET", url, what=url_name(url), headers=headers, passed=PAGE_STATUSES)
        return Page(response.status, response.headers, response.body, self._context.now_ms())

    async def request(
        self,
        method: str,
        url: str,
        *,
        what: str,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        passed: Collection[int] = (),
    ) -> Response:
        """Send one request when the rate limiter allows it; return a success, or a status of ``passed``.

        ``what``: how messages name it, without secrets.

        Raises:
            CollectError: no usable answer.
        """
        await self._context.rate_limiter.acquire()
        try:
            response = await self._http.request(method, url, json=json, headers=headers)
        except RequestError as error:
            kind = NeverRetryError if error.failure == "too_large" else RetryLaterError
            raise kind(f"{what}: {error}") from error
        if response.status not in passed and (refused := self._refusal(response, what)) is not None:
            raise refused
        return response

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


class JsonClient:
    """Asks for JSON below ``base_url``, a URL from the settings. ``headers``: sent with every request."""

    def __init__(
        self,
        config: CollectorConfig,
        context: CollectorContext,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        refusal: Refusal = refusal_by_status,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._context = context
        self._pages = PageClient(config, context, [base_url], headers, refusal=refusal, max_body_bytes=max_body_bytes)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return what the platform answers below ``base_url``; ``path`` begins with a slash.

        Raises:
            CollectError: no usable answer; see :mod:`ingest.errors`.
        """
        return await self._answer("GET", path, None, headers)

    async def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Send ``body`` as JSON; otherwise as :meth:`get`."""
        return await self._answer("POST", path, body, headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._pages.close()

    async def _answer(self, method: str, path: str, body: object, headers: Mapping[str, str] | None) -> Answer:
        what = path.partition("?")[0]  # a query changes from page to page; a failure that lasts is reported once
        response = await self._pages.request(method, self._base_url + path, what=what, json=body, headers=headers)
        try:
            return Answer(json.loads(response.body), self._context.now_ms(), response.headers)
        except (ValueError, RecursionError) as error:
            raise RetryLaterError(f"{what} is not JSON: {response.body[:80]!r}") from error
