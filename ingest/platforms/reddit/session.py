"""A session with Reddit: PRAW with our options alone, its responses bounded, its exceptions made ours.

Owns everything that knows PRAW's insides: its settings, its hidden retries, its exceptions. Must never know a listing.
"""

import configparser
import io
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

import praw
import praw.config
import prawcore
import requests
from praw.exceptions import PRAWException
from requests.adapters import HTTPAdapter

from ingest.errors import error_for_status
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.source import allowance
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import BodyReader, one_line

CHUNK_BYTES: Final = 65_536
MAX_BODY_BYTES: Final = 33_554_432
"""Largest response, decompressed. A page of 100 posts with the longest texts, twice each, has some 20 MB."""

TOKEN_PATH: Final = "/api/v1/access_token"  # noqa: S105 (a path, no password)


class RedditSession:
    """A ``praw.Reddit`` of our own; for the use of one thread only."""

    def __init__(self, config: RedditConfig) -> None:
        self._http = requests.Session()
        self._http.headers["Accept-Encoding"] = "gzip"
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, _BoundedAdapter())
        self.exhausted_for_seconds = 0.0
        """How long Reddit rejects every further request, by its last response; 0 if it allows some."""
        _ignore_praw_ini()
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
            requestor_kwargs={"session": self._http, "timeout": config.request_timeout_seconds, "ours": self},
        )

    def get(self, path: str, params: dict[str, str | int]) -> object:
        """Return the JSON that Reddit answers.

        Raises:
            Exception: any of PRAW's or our own; :func:`error_for_exception` turns it into one for the loop.
        """
        return self._reddit.request(method="GET", path=path, params=params)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class _BoundedAdapter(HTTPAdapter):
    """Reads the body itself, no further than ``MAX_BODY_BYTES``: requests would unpack it whole."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send one request. Raises RequestError for a body that is too large or broken."""
        response = super().send(request, *args, **{**options, "stream": True})
        content = b""
        with response:
            if response.ok:  # otherwise its status and headers say all that is needed
                body = BodyReader(MAX_BODY_BYTES, response.headers.get("Content-Encoding", ""))
                for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                    body.feed(chunk)
                content = body.finish()
        response.raw = io.BytesIO(content)
        return response


class _Requestor(prawcore.Requestor):  # type: ignore[misc]  # the type checker does not follow prawcore
    """Raises what the loop must see, before prawcore sleeps and retries by itself. It follows no redirect."""

    def __init__(self, *, ours: RedditSession, **options: Any) -> None:
        super().__init__(**options)
        self._ours = ours

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send one request. Raises an error of :mod:`ingest.errors`, except for a 401: prawcore renews the token."""
        options["timeout"] = self.timeout  # PRAW 8 passes prawcore's own
        options["allow_redirects"] = False  # the request for a token carries the account's password
        try:
            response: requests.Response = super().request(*args, **options)
        except prawcore.RequestException as error:
            raise RetryLaterError(one_line(error.original_exception)) from error
        remaining, reset_seconds = allowance(response.headers)
        what = response.url.partition("?")[0]
        if response.is_redirect and urlsplit(response.url).path.startswith(TOKEN_PATH):
            raise UserError(f"{what} redirects, and credentials follow no redirect; check the option reddit_url")
        refusal = error_for_status(response.status_code, response.headers, what)
        if isinstance(refusal, SlowDownError) and refusal.after_seconds is None:
            refusal.after_seconds = reset_seconds
        if refusal is not None and response.status_code != 401:
            raise refusal
        self._ours.exhausted_for_seconds = (reset_seconds or 0.0) if remaining < 1 else 0.0
        return response


def error_for_exception(error: Exception, path: str) -> Exception:
    """Return the loop's error for an exception of :class:`RedditSession`; the same, if it is a fault of ours."""
    match error:
        case prawcore.OAuthException() | prawcore.ResponseException(response=requests.Response(status_code=401)):
            advice = "check client_id, client_secret and the account; a new API client needs Reddit's approval"
            return UserError(f"Reddit rejects the credentials; {advice} ({one_line(error)})")
        # RecursionError: JSON nested without end. The other three: JSON of a shape that PRAW does not expect.
        case (
            prawcore.PrawcoreException()
            | PRAWException()
            | RecursionError()
            | ValueError()
            | LookupError()
            | TypeError()
        ):
            return RetryLaterError(f"{path} cannot be read: {one_line(error)}")
    return error


def _ignore_praw_ini() -> None:
    """Leave PRAW only the settings that it ships with.

    It would also read ``praw.ini`` from the working folder and the home folder. A planted file could send the
    credentials to another host.
    """
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(files("praw").joinpath("praw.ini").read_text())
    praw.config.Config.CONFIG = parser
