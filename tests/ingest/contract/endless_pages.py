"""Listings without an end: whatever page is asked for, the first one comes, and says that there is more.

Owns how platforms say so. It knows the names that they use for that, and no platform.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

__all__ = ["EndlessPages", "says_more"]

PAGE_PARAMETERS = frozenset(
    {"after", "before", "count", "max_id", "min_id", "next_token", "page", "page_cursor", "pageToken"}
)
"""Parameters by which a page is asked for."""


class EndlessPages:
    """Answers with the first page of each listing where another one is asked for."""

    def __init__(self) -> None:
        self._first: dict[tuple[object, ...], tuple[bytes, dict[str, str]]] = {}

    async def answer(
        self, request: web.Request, handler: Handler, rewritten: Callable[[bytes, str], bytes]
    ) -> web.StreamResponse:
        """Return the first page of the listing that is asked for; ``handler`` makes it, ``rewritten`` changes it."""
        wanted = {name: value for name, value in request.query.items() if name not in PAGE_PARAMETERS}
        key = (request.method, request.path, *sorted(wanted.items()))
        if len(wanted) < len(request.query) and key in self._first:
            body, headers = self._first[key]
            return web.Response(body=body, headers=headers)
        request["rewrite"] = lambda values: values
        response = await handler(request)
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes) or response.status != 200:
            return response
        response.body = rewritten(response.body, response.content_type)
        self._first[key] = response.body, {"Content-Type": response.headers["Content-Type"]}
        return response


def says_more(value: object) -> object:
    """Return an answer that says in each of the platforms' ways that there is more."""
    if isinstance(value, list):
        return [says_more(part) for part in value]
    if not isinstance(value, dict):
        return value
    changed = {key: says_more(part) for key, part in value.items()}
    if "children" in changed:
        changed["after"] = "t3_more"
    if "next_page" in changed:
        changed["next_page"] = "more"
    if "has_more" in changed:
        changed["has_more"] = True
    if "result_count" in changed:
        changed["next_token"] = "more"  # noqa: S105 (of a page)
    if str(changed.get("kind", "")).endswith("ListResponse"):
        changed["nextPageToken"] = "more"
    return changed
