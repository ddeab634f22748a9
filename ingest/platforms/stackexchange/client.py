"""Requests to the API of Stack Exchange, within the quota of a day.

Owns the paths and parameters of API 2.3, the count of requests, and which method wants to be left alone. Must never
know what an item means, nor ask again.

The filter names the fields of an answer. It makes one request carry questions with their answers and all comments. It
is created once, by a request, and never expires, so the collector keeps it in its cursor.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import urlencode

from ingest.collector import CollectorContext
from ingest.http import PageClient
from ingest.platforms.stackexchange.answers import Wrapper, refusal, wrapper
from ingest.platforms.stackexchange.config import StackExchangeConfig
from ingest.platforms.stackexchange.daily_requests import DailyRequests
from transport.errors import RetryLaterError, SlowDownError, UserError

API: Final = "/2.3"
BY_NUMBER: Final = "questions/{ids}"
PAGE_ITEMS: Final = 100
MAX_BODY_BYTES: Final = 16_777_216
"""Largest answer, decompressed: 100 questions, each with 30 000 characters and several answers as long."""
FIELDS: Final = (
    "question.body",
    "question.comment_count",
    "question.comments",
    "question.answers",
    "answer.body",
    "answer.comment_count",
    "answer.comments",
    "answer.link",
    "comment.body",
    "comment.link",
)
"""Fields beside those of the default filter."""
EXHAUSTED_SECONDS: Final = 3600.0
"""Pause after the last request of the quota. The answer does not say when it renews: some requests do each hour."""
GRACE_SECONDS: Final = 1.0
"""Longer than a backoff, which the platform measures by its own clock."""


class StackExchangeClient:
    """The methods that the collector needs. ``requests``: counts them. ``filter``: its id; None until created."""

    def __init__(
        self, config: StackExchangeConfig, context: CollectorContext, requests: DailyRequests, filter_: str | None
    ) -> None:
        self.requests = requests
        self.filter = filter_
        self.quota_left: int | None = None
        self.unsaved = 0
        self._base_url = str(config.base_url).rstrip("/") + API
        self._key = config.key
        self._now_ms: Callable[[], int] = context.now_ms
        self._clock = context.clock
        self._exhausted_until = 0.0
        self._free_at: dict[str, float] = {}
        base_url = str(config.base_url)
        self._http = PageClient(config, context, [base_url], refusal=refusal, max_body_bytes=MAX_BODY_BYTES)

    def left(self) -> int:
        """Return how many requests may be sent now, by our own count and by the platform's."""
        left = self.requests.left(self._now_ms())
        return left if self.quota_left is None else min(left, self.quota_left)

    def free_in_seconds(self, method: str) -> float:
        """Return for how long the platform wants to be left alone by a method; 0: it may be asked."""
        return max(0.0, self._free_at.get(method, 0.0) - self._clock())

    async def active(self, site: str, tags: Sequence[str], page: int) -> Wrapper:
        """Return a page of questions with at least one of the ``tags``, those with the latest activity first.

        Raises:
            CollectError: it cannot be had now.
        """
        wanted: dict[str, str | int] = {"site": site, "order": "desc", "sort": "activity"}
        wanted |= {"pagesize": PAGE_ITEMS, "page": page}
        if tags:
            wanted["tagged"] = ";".join(tags)
        return await self._questions(listing_method(tags), wanted)

    async def questions(self, site: str, numbers: Iterable[int]) -> Wrapper:
        """Return up to 100 questions as they are now, without those that are gone. Raises as :meth:`active` does."""
        return await self._questions(BY_NUMBER, {"site": site, "pagesize": PAGE_ITEMS}, ";".join(map(str, numbers)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _questions(self, method: str, wanted: dict[str, str | int], ids: str = "") -> Wrapper:
        if self.filter is None:
            created = await self._get("filters/create", {"include": ";".join(FIELDS)})
            first = created.items[0] if created.items else None
            name = first.get("filter") if isinstance(first, dict) else None
            if not isinstance(name, str) or not 0 < len(name) <= 200:
                raise RetryLaterError(f"filters/create gave no filter: {str(first)[:80]!r}")
            self.filter = name
        try:
            return await self._get(method, wanted | {"filter": self.filter}, ids)
        except UserError as error:
            if "filter" not in str(error):
                raise
            self.filter = None
            raise RetryLaterError(f"{error}; it will be created again") from error

    async def _get(self, method: str, wanted: dict[str, str | int], ids: str = "") -> Wrapper:
        what = " of ".join(filter(None, (method, str(wanted.get("site", "")))))
        self._check_quota(what)
        if self._key is not None:
            wanted = wanted | {"key": self._key.get_secret_value()}
        self.requests.spend(self._now_ms())
        self.unsaved += 1
        url = f"{self._base_url}/{method.replace('{ids}', ids)}?{urlencode(wanted)}"
        response = await self._http.request("GET", url, what=what)  # without the key, which is in the url
        answer = wrapper(response.body, what, self._now_ms())
        self.quota_left = answer.quota_left
        if answer.quota_left is not None and answer.quota_left <= 0:
            self._exhausted_until = self._clock() + EXHAUSTED_SECONDS
        if answer.backoff_seconds:
            self._free_at[method] = self._clock() + answer.backoff_seconds + GRACE_SECONDS
        return answer

    def _check_quota(self, what: str) -> None:
        """Raise SlowDownError if no request may be sent now."""
        wait_seconds = self._exhausted_until - self._clock()
        if wait_seconds > 0:
            raise SlowDownError(f"{what}: Stack Exchange allows this address no more requests today", wait_seconds)
        if self.quota_left is not None and self.quota_left <= 0:
            self.quota_left = None  # the pause is over: one request shows whether the quota has renewed
        now_ms = self._now_ms()
        if not self.requests.left(now_ms):
            limit, seconds = self.requests.limit, self.requests.next_ms(now_ms) / 1000
            raise SlowDownError(f"{what}: all {limit} requests of requests_per_day are spent", seconds)


def listing_method(tags: Sequence[str]) -> str:
    """Return the method: only the search finds questions with one of several tags; the listing wants all of them."""
    return "search" if tags else "questions"
