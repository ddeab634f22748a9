"""Requests to one instance of Lemmy, in the version of the API that it speaks.

Owns the paths, parameters and forms of the answers of API v3 and v4, and which of the two an instance has. It also
owns how Lemmy explains a refusal. Must never know what a view means, nor ask again.

API v4 came with Lemmy 1.0, which goes on to answer v3 for reading. So an instance is asked for its version by v3
first, and only if that is gone by v4. Sources: https://github.com/LemmyNet/lemmy (``crates/api/routes``,
``crates/api/routes_v3``), and for v3 the tag 0.19.12.
"""

import json
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import HttpUrl

from ingest.collector import CollectorContext
from ingest.errors import CollectError, error_for_status
from ingest.http import JsonClient
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.platforms.lemmy.convert import NO_FACTS
from transport.errors import NeverRetryError, RetryLaterError, SlowDownError
from transport.http import Response

PAGE_ITEMS: Final = 50
"""Most items that Lemmy gives on a page."""
LIMIT_SECONDS: Final = 60.0
"""Pause after a rate limit that names no time. By default Lemmy counts the requests of a minute."""
RATE_LIMITED: Final = frozenset({"rate_limit_error", "too_many_requests"})
NOT_FOUND: Final = frozenset({"couldnt_find_post", "couldnt_find_comment", "couldnt_find_community", "not_found"})
UNDETERMINED: Final = "und"

Kind = Literal["post", "comment"]
Sort = Literal["New", "NewComments", "Hot"]
_V4_SORTS: Final[Mapping[Sort, str]] = {"New": "new", "NewComments": "new_comments", "Hot": "hot"}


class GoneError(NeverRetryError):
    """The instance says that it has no such item, or does not show it any more."""


class Page(NamedTuple):
    """Views in the order of the listing. ``next_page``: where it goes on, None at its end."""

    views: list[object]
    next_page: str | None
    witnessed_ms: int


class View(NamedTuple):
    """One view and when it arrived."""

    raw: object
    witnessed_ms: int


class LemmyInstance:
    """One instance. ``host``: its name, with the port if it is an unusual one. ``facts``: what it says of itself."""

    def __init__(self, config: LemmyConfig, context: CollectorContext, url: str) -> None:
        address = HttpUrl(url)
        self.host = f"{address.host}:{address.port}" if address.port not in {80, 443} else str(address.host)
        self.facts = NO_FACTS
        self._listing = config.listing
        self._json = JsonClient(config, context, url, refusal=refusal)
        self._version: int | None = None

    async def listing(self, kind: Kind, sort: Sort, community: str | None, page: str | None) -> Page:
        """Return a page of the newest or most discussed posts or comments.

        ``community``: its full name; None for all. ``page``: the ``next_page`` of the page before.

        Raises:
            CollectError: it cannot be had now.
        """
        version = await self._api()
        wanted: dict[str, str | int] = {"limit": PAGE_ITEMS}
        wanted |= {"sort": sort, "type_": self._listing}
        if version > 3:
            wanted |= {"sort": _V4_SORTS[sort], "type_": self._listing.lower()}
        if community is not None:
            wanted |= {"community_name": community, "type_": "All" if version == 3 else "all"}
        if page is not None:
            wanted["page" if version == 3 else "page_cursor"] = page
        path = f"/api/v{version}/{kind}/list"
        try:
            answer = await self._json.get(f"{path}?{urlencode(wanted)}")
        except NeverRetryError as error:
            self._version = None  # it may speak another version now
            advice = "check the option communities" if community is not None else "is this a Lemmy instance?"
            raise RetryLaterError(f"{error}; {advice}") from error
        found = answer.json if isinstance(answer.json, dict) else {}
        views = found.get("items", found.get(f"{kind}s"))
        if not isinstance(views, list):
            raise RetryLaterError(f"{path} is no listing: {str(answer.json)[:100]!r}")
        return Page(views, _next_page(version, found.get("next_page"), page, len(views)), answer.witnessed_ms)

    async def post(self, number: int) -> View:
        """Return the view of the post with this instance's own ``number``.

        Raises:
            GoneError: the instance does not show it any more.
            CollectError: it cannot be had now.
        """
        path = f"/api/v{await self._api()}/post"
        answer = await self._json.get(f"{path}?id={number}")
        view = answer.json.get("post_view") if isinstance(answer.json, dict) else None
        if not isinstance(view, dict):
            raise RetryLaterError(f"{path} is no post: {str(answer.json)[:100]!r}")
        return View(view, answer.witnessed_ms)

    async def members(self, community: str) -> int | None:
        """Return how many subscribe to a community; None if the instance does not say. Raises as :meth:`post` does."""
        version = await self._api()
        answer = await self._json.get(f"/api/v{version}/community?{urlencode({'name': community})}")
        view = answer.json.get("community_view") if isinstance(answer.json, dict) else None
        counts = view.get("counts" if version == 3 else "community") if isinstance(view, dict) else None
        members = counts.get("subscribers") if isinstance(counts, dict) else None
        return members if type(members) is int and members >= 0 else None

    async def close(self) -> None:
        """Close the connections."""
        await self._json.close()

    async def _api(self) -> int:
        """Return the version of the API to speak, and learn what the instance says of itself."""
        if self._version is None:
            try:
                site = (await self._json.get("/api/v3/site")).json
            except NeverRetryError:
                site = (await self._json.get("/api/v4/site")).json
            version = site.get("version") if isinstance(site, dict) else None
            if not isinstance(site, dict) or not isinstance(version, str):
                raise RetryLaterError(f"{self.host} does not name its version; is this a Lemmy instance?")
            self.facts = NO_FACTS._replace(languages=_languages(site), down_votes=_down_votes(site))
            self._version = 3 if version.startswith("0.") else 4
        return self._version


def refusal(response: Response, what: str) -> CollectError | None:
    """Return the error for a response. Lemmy 0.19 answers a rate limit with status 400, 1.0 with 429.

    See https://github.com/LemmyNet/lemmy/issues/5332.
    """
    error = error_for_status(response.status, response.headers, what)
    if error is None:
        return None
    code = _error_code(response.body)
    if response.status == 429 or code in RATE_LIMITED:
        seconds = error.after_seconds if isinstance(error, SlowDownError) else None
        return SlowDownError(f"{what}: too many requests", LIMIT_SECONDS if seconds is None else seconds)
    if code in NOT_FOUND and response.status in {400, 404}:
        return GoneError(f"{what}: {code}")
    return error


def _error_code(body: bytes) -> object:
    try:
        explained = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = explained.get("error") if isinstance(explained, dict) else None
    return code if isinstance(code, str) else None


def _next_page(version: int, named: object, page: str | None, items: int) -> str | None:
    if version > 3:
        return named if isinstance(named, str) and named and items else None
    return str(int(page or 1) + 1) if items >= PAGE_ITEMS else None


def _languages(site: dict[str, object]) -> dict[int, str]:
    """Return the codes of languages by number, without the one for "undetermined"."""
    languages = site.get("all_languages")
    found: dict[int, str] = {}
    for language in languages if isinstance(languages, list) else []:
        number, code = (language.get("id"), language.get("code")) if isinstance(language, dict) else (None, None)
        if type(number) is int and isinstance(code, str) and code.isascii() and 0 < len(code) <= 20:
            found[number] = code
    return {number: code for number, code in found.items() if code != UNDETERMINED}


def _down_votes(site: dict[str, object]) -> bool:
    """Return whether the instance takes down-votes: a switch in v3, for posts one of three words in v4."""
    view = site.get("site_view")
    options = view.get("local_site") if isinstance(view, dict) else None
    if not isinstance(options, dict):
        return True
    return options.get("enable_downvotes") is not False and options.get("post_downvotes") != "disable"
