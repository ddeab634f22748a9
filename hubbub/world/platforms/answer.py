"""Answers: JSON over HTTP as the simulated platforms send it.

Owns the one way in which a value becomes a response. Must never know what the value means.
"""

from __future__ import annotations

import json

import msgspec
from aiohttp import web

__all__ = ["answer"]


def answer(value: object) -> web.Response:
    """Return ``value`` as a JSON response. Half a surrogate pair goes out escaped, as platforms do send it."""
    try:
        body = msgspec.json.encode(value)
    except UnicodeEncodeError:
        body = json.dumps(value).encode()
    return web.Response(body=body, content_type="application/json", charset="utf-8")
