"""A session with Reddit: PRAW set up so that only our own options count, and its failures turned into verdicts.

Owns everything that knows PRAW's insides: its settings, its hidden retries, its exceptions. Must never know a listing.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import praw
import praw.config
import prawcore
import requests
from praw.exceptions import PRAWException

from ingest.errors import LONGEST_HOLD_SECONDS, GiveUpError, RetryLaterError, SlowDownError, verdict_on
from ingest.platforms.reddit.config import RedditConfig

__all__ = ["RedditSession", "verdict_on_exception"]

RATE_LIMIT_HEADERS: Final = ("X-Ratelimit-Remaining", "X-Ratelimit-Used", "X-Ratelimit-Reset")


class RedditSession:
    """A ``praw.Reddit`` of our own; for the use of one thread only."""

    def __init__(self, config: RedditConfig) -> None:
        self._http = requests.Session()
        self._standing = _Standing()
        _forget_praw_ini()
        self._reddit = praw.Reddit(
            "DEFAULT",
            client_id=config.client_id,
            client_secret=config.client_secret.get_secret_value() if config.client_secret else None,
            username=config.username,
            password=config.password.get_secret_value() if config.password else None,
            refresh_token=None,
            redirect_uri=None,
            user_agent=config.user_agent,
            reddit_url=str(config.reddit_url).rstrip("/"),
            oauth_url=str(config.oauth_url).rstrip("/"),
            check_for_updates=False,
            check_for_async=False,
            requestor_class=_Requestor,
            requestor_kwargs={
                "session": self._http,
                "timeout": config.request_timeout_seconds,
                "standing": self._standing,
            },
        )

    def get(self, path: str, params: dict[str, str | int]) -> object:
        """Return the JSON that Reddit answers.

        Raises:
            Exception: any of PRAW's or our own; :func:`verdict_on_exception` tells what to do about it.
        """
        return self._reddit.request(method="GET", path=path, params=params)

    @property
    def exhausted_for_seconds(self) -> float:
        """How long Reddit will refuse every further request, by what it said last; 0 if it allows some."""
        return self._standing.exhausted_for_seconds

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class _Standing:
    """What Reddit said last about how much we may still ask."""

    exhausted_for_seconds = 0.0


class _Requestor(prawcore.Requestor):  # type: ignore[misc]  # the type checker does not follow prawcore
    """Raises what the loop should deal with itself, before prawcore sleeps and retries out of its sight."""

    def __init__(self, *, standing: _Standing, **options: Any) -> None:
        super().__init__(**options)
        self._standing = standing

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send one request. Raises CollectError where there is nothing that prawcore could do better."""
        options["timeout"] = self.timeout  # PRAW 8 passes prawcore's own, whatever it was told
        try:
            response: requests.Response = super().request(*args, **options)
        except prawcore.RequestException as error:
            raise RetryLaterError(_line(error.original_exception)) from error
        remaining, reset_seconds = _allowance(response.headers)
        verdict = verdict_on(response.status_code, response.headers, response.url.partition("?")[0])
        if isinstance(verdict, SlowDownError) and verdict.after_seconds is None:
            verdict.after_seconds = reset_seconds
        if verdict is not None and not isinstance(verdict, GiveUpError):  # prawcore renews a token that has expired
            raise verdict
        self._standing.exhausted_for_seconds = (reset_seconds or 0.0) if remaining < 1 else 0.0
        return response


def _allowance(headers: Mapping[str, str]) -> tuple[float, float | None]:
    """Return how many requests remain, and for how many seconds no more will; infinity and None if it is not said."""
    try:
        remaining, _, reset = (float(headers.get(name, "nan")) for name in RATE_LIMIT_HEADERS)
    except ValueError:  # prawcore, which reads all three, would fall over them
        raise RetryLaterError("the headers of the rate limit hold no numbers; is this Reddit?") from None
    return (
        math.inf if math.isnan(remaining) else remaining,
        min(max(0.0, reset), LONGEST_HOLD_SECONDS) if math.isfinite(reset) else None,
    )


def verdict_on_exception(error: Exception, path: str) -> Exception:
    """Return what to do about an exception raised by :class:`RedditSession`; itself, if it is a fault of ours."""
    match error:
        case prawcore.OAuthException() | prawcore.ResponseException(response=requests.Response(status_code=401)):
            return GiveUpError(f"Reddit refuses us; check client_id, client_secret and the account ({_line(error)})")
        case prawcore.PrawcoreException() | PRAWException() | RecursionError():  # the last: JSON nested without end
            return RetryLaterError(f"{path} cannot be read: {_line(error)}")
    return error


def _forget_praw_ini() -> None:
    """Leave PRAW only the settings it ships with.

    It would also read ``praw.ini`` from the working folder and from the user's, where a planted file could send our
    credentials to another host.
    """
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(files("praw").joinpath("praw.ini").read_text())
    praw.config.Config.CONFIG = parser


def _line(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".rstrip().splitlines()[0]
