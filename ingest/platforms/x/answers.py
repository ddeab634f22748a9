"""What X's responses mean: posts with what came along, problems inside a success, refusals.

Owns the forms of https://docs.x.com/x-api/fundamentals/response-codes-and-errors. Pure. Must never ask, nor know what a
post means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from ingest.errors import CollectError
from ingest.http import refusal_by_status
from ingest.stream import Frame
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import MAX_RETRY_AFTER_SECONDS, Response

_TITLED_SECONDS: Final = {
    "ConnectionException": 30.0,  # X counts a connection for a while that ended without a word
    "UsageCapExceeded": MAX_RETRY_AFTER_SECONDS,  # the month's posts are used up
}
"""How long to wait after a 429 with this title."""
_ADVICE: Final = {
    401: "X rejects the token; check the option bearer_token",
    402: "the account at X has no credits left; buy some",
    403: "X does not allow this; check the app's access in the developer console",
}
GONE: Final = ("/resource-not-found", "/not-authorized-for-resource")
"""Types of problems with one post: it was deleted, or its author is gone, suspended or private."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts as they came. ``originals``: those that they refer to. ``gone``: ids that X no longer gives."""

    items: list[object]
    users: list[object]
    originals: list[object]
    gone: list[str]
    witnessed_ms: int
    next_token: str | None = None


def posts_of(json_: object, witnessed_ms: int, what: str) -> Posts:
    """Return the posts of a response. One may have posts and problems, or problems alone, and is a success.

    Raises:
        RetryLaterError: it is no response of X, or says that there are posts and has none.
    """
    value = as_object(json_, what)
    data, includes, meta = value.get("data"), _dict(value.get("includes")), _dict(value.get("meta"))
    items = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    problems = _list(value.get("errors"))
    if not items and not problems and meta.get("result_count") != 0:
        raise RetryLaterError(f"{what} answers without posts: {_shown(value)}")
    token = meta.get("next_token")
    return Posts(
        items=items,
        users=_list(includes.get("users")),
        originals=_list(includes.get("tweets")),
        gone=[str(problem["resource_id"]) for problem in map(_dict, problems) if _is_gone(problem)],
        witnessed_ms=witnessed_ms,
        next_token=token if isinstance(token, str) and token else None,
    )


def posts_of_frame(frame: Frame) -> Posts:
    """Return the post of a line of the stream.

    Raises:
        RetryLaterError: the line says why the stream ends, although its status was 200.
    """
    try:
        value = as_object(json.loads(frame.data), "the stream")
    except (ValueError, RecursionError) as error:
        raise RetryLaterError(f"the stream sends no JSON: {frame.data[:80]!r}") from error
    if "data" not in value:
        raise RetryLaterError(f"X ends the stream: {problems_of(value) or _shown(value)}")
    return posts_of(value, frame.witnessed_ms, "the stream")


def usage_of(json_: object) -> dict[str, int]:
    """Return how many posts X has counted, by UTC date as in ``2026-11-30``."""
    value = as_object(json_, "usage")
    if not isinstance(value.get("data"), dict):
        raise RetryLaterError(f"usage answers without data: {_shown(value)}")
    days = _list(_dict(_dict(value["data"]).get("daily_project_usage")).get("usage"))
    return {
        str(entry.get("date"))[:10]: int(str(entry["usage"]))
        for entry in map(_dict, days)
        if str(entry.get("usage")).isdecimal() and len(str(entry["usage"])) <= 12
    }


def as_object(json_: object, what: str) -> dict[str, object]:
    """Return the JSON object of a response. Raises RetryLaterError if it is none."""
    if not isinstance(json_, dict):
        raise RetryLaterError(f"{what} answers with no JSON object: {_shown(json_)}")
    return json_


def problems_of(value: Mapping[str, object]) -> str:
    """Return what a response says is wrong, in one line; empty if nothing is."""
    problems = [_dict(problem) for problem in _list(value.get("errors"))] or [dict(value)]
    said: dict[str, None] = {}
    for problem in problems:
        for text in (*_list(problem.get("details")), problem.get("detail"), problem.get("title")):
            if isinstance(text, str) and text:
                said[" ".join(text[:200].split())] = None
                break
    return "; ".join(said)[:300]


def titles_of(value: Mapping[str, object]) -> set[str]:
    """Return the titles of the problems inside a success."""
    return {str(_dict(problem).get("title")) for problem in _list(value.get("errors"))}


def refusal(response: Response, what: str) -> CollectError | None:
    """Return the error that a refusal stands for, with X's own explanation."""
    error = refusal_by_status(response, what)
    if error is None:
        return None
    try:
        problem = _dict(json.loads(response.body))
    except (ValueError, RecursionError):
        problem = {}
    why = problems_of(problem)
    message = f"{error}: {why}" if why else str(error)
    if isinstance(error, SlowDownError):
        seconds = error.after_seconds
        if seconds is None:
            seconds = _TITLED_SECONDS.get(str(problem.get("title"))) or _reset_seconds(response.headers)
        return SlowDownError(message, seconds)
    advice = _ADVICE.get(response.status)
    if advice is not None and (why or response.status != 403):  # a proxy refuses with 403, too, and says nothing
        return UserError(f"{advice} ({message})")
    return type(error)(message)


def _reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return for how long X rejects further requests, by its own clock; None if it does not say."""
    try:
        reset = float(headers.get("x-rate-limit-reset", ""))
        sent = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return None
    return min(max(1.0, reset - sent), MAX_RETRY_AFTER_SECONDS) if abs(reset) < 1e12 else None


def _is_gone(problem: Mapping[str, object]) -> bool:
    """Return whether a problem is about a post that was asked for; others are about posts that it refers to."""
    return (
        problem.get("resource_type") == "tweet"
        and problem.get("parameter") in {"ids", "id"}
        and isinstance(problem.get("resource_id"), str)
        and str(problem.get("type")).endswith(GONE)
    )


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _shown(value: object) -> str:
    return repr(value)[:100]
