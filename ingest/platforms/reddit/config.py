"""Options of the Reddit collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, field_validator

from ingest.collector import CollectorConfig, Positive, Whole

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


class RedditConfig(CollectorConfig):
    """How to collect from Reddit. Seconds are real seconds; hours are hours of the items' age.

    It needs an API client ("script" app). Since November 2025 Reddit gives a new key only after approval.
    """

    client_id: Annotated[str, Field(min_length=1)]
    """The id of the API client."""
    client_secret: SecretStr | None = None
    """The secret of the API client; none for an installed app."""
    username: str | None = None
    """The account's name; without it only public posts are read, which is enough."""
    password: SecretStr | None = None
    """The account's password."""
    user_agent: Annotated[str, Field(min_length=7)] = "python:hubbub:0.1 (self-hosted news monitor)"
    """What Hubbub calls itself; Reddit asks for ``platform:app:version (by /u/name)``."""
    reddit_url: HttpUrl = HttpUrl("https://www.reddit.com")
    """Where Reddit gives tokens."""
    oauth_url: HttpUrl = HttpUrl("https://oauth.reddit.com")
    """Where the API is."""
    requests_per_minute: Positive = 90.0
    """At most this many requests in any minute; Reddit allows a client 100."""
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

    @field_validator("reddit_url", "oauth_url")
    @classmethod
    def _credentials_travel_safely(cls, url: HttpUrl) -> HttpUrl:
        if url.scheme != "https" and not _is_loopback(url.host or ""):
            raise ValueError("must be https: it carries credentials (plain http is allowed on this machine only)")
        return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
