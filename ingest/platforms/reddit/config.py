"""Options of the Reddit collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, model_validator

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.secure_url import SecureUrl

Subreddit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]{1,20}$")]

DEFAULT_SUBREDDITS = (
    "agi",
    "aiwars",
    "Anthropic",
    "artificial",
    "ArtificialInteligence",
    "Bard",
    "ChatGPT",
    "ClaudeAI",
    "deeplearning",
    "DeepSeek",
    "Futurology",
    "LocalLLaMA",
    "MachineLearning",
    "OpenAI",
    "privacy",
    "programming",
    "singularity",
    "StableDiffusion",
    "tech",
    "technews",
    "technology",
)


KEYLESS_REQUESTS_PER_MINUTE = 6.0
"""Requests a minute without a key: of the ten or fewer that Reddit allows an address. It says when there are none."""


class RedditConfig(CollectorConfig):
    """How to collect from Reddit. Seconds are real seconds; hours are hours of the items' age.

    Without ``client_id`` the public feeds are read: the same posts and comments, but no counts. A key is an API client
    ("script" app). Since November 2025 Reddit gives a new one only after approval.
    """

    client_id: Annotated[str, Field(min_length=1)] | None = None
    """The id of the API client; without it the public feeds are read."""
    client_secret: SecretStr | None = None
    """The secret of the API client; none for an installed app."""
    username: str | None = None
    """The account's name; without it only public posts are read, which is enough."""
    password: SecretStr | None = None
    """The account's password."""
    feed_token: SecretStr | None = None
    """The token of the private feeds of ``username``. With it Reddit may allow feeds more requests."""
    user_agent: Annotated[str, Field(min_length=7)] = "python:hubbub:0.1 (self-hosted news monitor)"
    """What Hubbub calls itself; Reddit asks for ``platform:app:version (by /u/name)``."""
    reddit_url: SecureUrl = HttpUrl("https://www.reddit.com")
    """Where Reddit gives tokens, and where its feeds are."""
    oauth_url: SecureUrl = HttpUrl("https://oauth.reddit.com")
    """Where the API is."""
    requests_per_minute: Positive = 90.0
    """At most this many requests in any minute; Reddit allows a client 100. Without a key the default is 6."""
    subreddits: Annotated[tuple[Subreddit, ...], Field(min_length=1, max_length=100)] = DEFAULT_SUBREDDITS
    """Communities to collect from; ``all`` is all of them."""
    submissions_poll_seconds: Positive = 5.0
    """How often to ask for new posts."""
    comments: bool = True
    """Whether to collect comments."""
    comments_poll_seconds: Positive = 5.0
    """How often to ask for new comments."""
    sweep_seconds: Positive = 120.0
    """How often to make a full scan of the listings, for posts that a filter held back and that appear late."""
    listing_max_pages: Annotated[int, Field(ge=1, le=10)] = 10
    """At most this many pages of 100 are read in a poll; Reddit reaches back ten."""
    backfill_hours: Annotated[float, Field(ge=0)] = 6.0
    """How far to reach back at the first start."""
    reobserve_seconds: Positive = 10.0
    """How often to check which tracked posts are due."""
    reobserve_max_items: Whole = 300
    """At most this many tracked posts are polled at a time; a request carries 100."""
    watch_max_items: Whole = 2_000
    """At most this many posts are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age posts are tracked, and for how long they count as known."""

    @model_validator(mode="before")
    @classmethod
    def _fewer_requests_without_a_key(cls, options: object) -> object:
        if isinstance(options, dict) and not options.get("client_id"):
            return {"requests_per_minute": KEYLESS_REQUESTS_PER_MINUTE} | options
        return options

    @model_validator(mode="after")
    def _secrets_have_an_owner(self) -> Self:
        if self.client_id is None and (self.client_secret is not None or self.password is not None):
            raise ValueError("client_secret and password need client_id; without it the public feeds are read")
        if self.feed_token is not None and self.username is None:
            raise ValueError("feed_token needs username, the account that it belongs to")
        return self
