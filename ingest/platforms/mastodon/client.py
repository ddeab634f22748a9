"""Requests to one instance, and its stream.

Owns the paths, the forms of the lists, and what a refusal means. Must never know what a status means, nor ask again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

from ingest.collector import CollectorContext
from ingest.errors import CollectError, error_for_status
from ingest.http import Answer, JsonClient
from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.mastodon.config import Instance, MastodonConfig
from ingest.platforms.mastodon.identity import PLATFORM
from ingest.stream import EventStream
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError, UserError
from transport.http import MAX_RETRY_AFTER_SECONDS, Response

PAGE_ITEMS: Final = 40
"""Most statuses of a page."""
BATCH_ITEMS: Final = 20
"""Most statuses that one request reads by their ids."""
SINGLE_READS: Final = 5
"""Most statuses that are read one by one."""
TAGS_OF_A_REQUEST: Final = 5
"""A timeline shows the statuses with one tag, or any of four more."""
PUBLIC: Final = "/api/v1/timelines/public"


class RefusedError(UserError):
    """The instance does not show this to us: only its administrators or a token can change that."""


class GoneError(NeverRetryError):
    """The instance has no such status, or no such endpoint."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Statuses as parsed JSON; ``witnessed_ms``: when they arrived."""

    items: list[object]
    witnessed_ms: int


def tag_timelines(tags: Iterable[str]) -> list[str]:
    """Return the paths of timelines that together show the statuses with ``tags``.

    >>> tag_timelines(["ai", "llm"])
    ['/api/v1/timelines/tag/ai?any[]=llm']
    """
    names = [quote(tag, safe="") for tag in tags]
    groups = [names[start : start + TAGS_OF_A_REQUEST] for start in range(0, len(names), TAGS_OF_A_REQUEST)]
    return [
        "?".join(filter(None, (f"/api/v1/timelines/tag/{first}", "&".join(f"any[]={name}" for name in others))))
        for first, *others in groups
    ]


@dataclass(frozen=True, slots=True)
class Thread:
    """The statuses above and below one, as parsed JSON, from the root downwards.

    ``witnessed_ms``: when they arrived.
    """

    above: list[object]
    below: list[object]
    witnessed_ms: int


class InstanceClient:
    """The endpoints of https://docs.joinmastodon.org/methods/ that the collector needs, on one instance.

    ``reads_batches``: whether it reads several statuses in a request, as instances since 4.3 do.
    """

    def __init__(self, host: str, instance: Instance, config: MastodonConfig, context: CollectorContext) -> None:
        self._host = host
        self._config = config
        self._context = context
        self._base_url = instance.base_url(host)
        self._headers: dict[str, str] = {}
        if instance.access_token is not None:
            self._headers["Authorization"] = f"Bearer {instance.access_token.get_secret_value()}"
        per_minute = config.instance_requests_per_minute
        self._limiter = RateLimiter(PLATFORM, per_minute, clock=context.clock, sleep=context.sleep)
        self._json = JsonClient(config, context, self._base_url, self._headers, refusal=self._refusal)
        self.reads_batches = True

    async def timeline(self, path: str, *, min_id: int | None = None, max_id: int | None = None) -> Statuses:
        """Return the newest page of a timeline; with ``min_id`` the oldest page of statuses with greater ids.

        ``max_id``: only statuses with smaller ids.

        Raises:
            RefusedError: the instance does not show this timeline to us.
            CollectError: it cannot be had now.
        """
        limits = "".join(f"&{name}={id_}" for name, id_ in (("min_id", min_id), ("max_id", max_id)) if id_ is not None)
        return _statuses(await self._get(f"{path}{'&' if '?' in path else '?'}limit={PAGE_ITEMS}{limits}"), path)

    async def statuses(self, ids: list[str]) -> Statuses:
        """Return statuses by their local ids; those that the instance does not give are absent.

        Without ``reads_batches`` each costs a request. Raises as :meth:`timeline` does.
        """
        found = Statuses([], self._context.now_ms())
        if self.reads_batches:
            try:
                for start in range(0, len(ids), BATCH_ITEMS):
                    path = "/api/v1/statuses?" + "&".join(f"id[]={id_}" for id_ in ids[start : start + BATCH_ITEMS])
                    page = _statuses(await self._get(path), path)
                    found = Statuses(found.items + page.items, page.witnessed_ms)
            except GoneError:
                self.reads_batches = False
            else:
                return found
        for id_ in ids[:SINGLE_READS]:
            if (status := await self.status(id_)) is not None:
                found = Statuses([*found.items, status.json], status.witnessed_ms)
        return found

    async def status(self, id_: str) -> Answer | None:
        """Return one status; None if the instance has no such status. Raises as :meth:`timeline` does."""
        try:
            return await self._get(f"/api/v1/statuses/{id_}")
        except GoneError:
            return None

    async def thread(self, id_: str) -> Thread:
        """Return the thread that a status is in. Raises as :meth:`timeline` does.

        Without a token an instance shows 40 above, and 60 below.
        """
        found = await self._get(f"/api/v1/statuses/{id_}/context")
        context = found.json if isinstance(found.json, dict) else {}
        above, below = context.get("ancestors"), context.get("descendants")
        if not isinstance(above, list) or not isinstance(below, list):
            raise RetryLaterError(f"{self._host} answers for a thread: {str(found.json)[:100]!r}")
        return Thread(above, below, found.witnessed_ms)

    async def stream(self) -> EventStream:
        """Return the stream of the public timeline, not yet connected. Raises as :meth:`timeline` does."""
        url = await self._streaming_url() + "/api/v1/streaming/public"
        await self._limiter.acquire()
        return EventStream(
            self._config,
            self._context,
            url,
            [self._base_url],
            self._headers,
            refusal=lambda got, _: self._refusal(got, PUBLIC),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()

    async def _streaming_url(self) -> str:
        """Return where the instance says that it streams; it may be another host."""
        about = (await self._get("/api/v2/instance")).json
        configuration = about.get("configuration") if isinstance(about, dict) else None
        urls = configuration.get("urls") if isinstance(configuration, dict) else None
        stated = urls.get("streaming") if isinstance(urls, dict) else None
        if not isinstance(stated, str):
            return self._base_url
        url = urlsplit(stated)
        scheme = {"wss": "https", "ws": "http"}.get(url.scheme, url.scheme)
        if scheme != "https" and not self._base_url.startswith("http:"):
            raise RetryLaterError(f"{self._host} streams at {stated[:100]!r}; a token is sent to https alone")
        return f"{scheme}://{url.netloc}{url.path}".rstrip("/")

    async def _get(self, path: str) -> Answer:
        await self._limiter.acquire()
        return await self._json.get(path)

    def _refusal(self, response: Response, what: str) -> CollectError | None:
        what = f"{self._host}{what.partition('?')[0]}"
        match response.status:
            case 401 | 403 | 422:
                advice = "is its access_token valid?" if self._headers else "set an access_token, or read its tags only"
                return RefusedError(f"{what} is not shown to us (HTTP status {response.status}): {advice}")
            case 404 | 410:
                return GoneError(f"{what} answered with HTTP status {response.status}")
            case 429 if (seconds := _seconds_until_reset(response)) is not None:
                return SlowDownError(f"{what} answered with HTTP status 429", seconds)
        return error_for_status(response.status, response.headers, what)


def _statuses(found: Answer, path: str) -> Statuses:
    if not isinstance(found.json, list):
        raise RetryLaterError(f"{path.partition('?')[0]} is no list of statuses: {str(found.json)[:100]!r}")
    return Statuses(found.json, found.witnessed_ms)


def _seconds_until_reset(response: Response) -> float | None:
    """Return how long the instance wants to be left alone, by its own clock; None if it says nothing usable."""
    if "Retry-After" in response.headers:
        return None
    try:
        reset = datetime.fromisoformat(response.headers.get("X-RateLimit-Reset", ""))
        date = datetime.strptime(response.headers.get("Date", ""), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        seconds = (reset if reset.tzinfo else reset.replace(tzinfo=UTC)) - date
    except ValueError:
        return None
    return min(max(seconds.total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
