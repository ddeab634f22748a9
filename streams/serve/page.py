"""The page: its few files, read once and served from memory.

Owns which files are served and how a browser may cache them. Only files that are in the folder ``page`` when the server
starts are served. No path is ever made from a request.
"""

import hashlib
from importlib import resources
from typing import Final

from aiohttp import web

CONTENT_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> list[web.RouteDef]:
    """Return one route for each file of the page, and ``/`` for the page itself."""
    found = []
    for file in sorted(resources.files(__package__).joinpath("page").iterdir(), key=lambda file: file.name):
        content_type = CONTENT_TYPES.get("." + file.name.rpartition(".")[2])
        if content_type is not None:
            path = "/" if file.name == "index.html" else f"/page/{file.name}"
            found.append(_route(path, file.read_bytes(), content_type))
    return found


def _route(path: str, body: bytes, content_type: str) -> web.RouteDef:
    etag = hashlib.sha256(body).hexdigest()[:32]

    async def answer(request: web.Request) -> web.Response:
        """Answer with the file, or that the browser's copy is still valid."""
        known = request.if_none_match or ()
        response = (
            web.Response(status=304)
            if any(tag.value == etag for tag in known)
            else web.Response(body=body, content_type=content_type, charset="utf-8")
        )
        response.etag = etag
        response.headers["Cache-Control"] = "no-cache"  # cache it, but ask each time: an upgrade shows at the next load
        return response

    return web.get(path, answer)
