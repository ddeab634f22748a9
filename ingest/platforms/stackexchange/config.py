"""Options of the Stack Exchange collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, model_validator

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.secure_url import is_secure

SiteName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9+#.-]{1,60}$")]

DEFAULT_SITES: dict[SiteName, tuple[Tag, ...]] = {
    "stackoverflow": (
        "artificial-intelligence",
        "chatgpt-api",
        "deep-learning",
        "huggingface-transformers",
        "langchain",
        "large-language-model",
        "machine-learning",
        "openai-api",
    ),
    "ai": (),
    "datascience": (),
}


class StackExchangeConfig(CollectorConfig):
    """How to collect from the sites of Stack Exchange. Seconds are real seconds; hours are hours of the items' age."""

    base_url: HttpUrl = HttpUrl("https://api.stackexchange.com")
    """Where the API is; ``/2.3/…`` is appended."""
    key: SecretStr | None = None
    """The key of an app of yours at stackapps.com. With one the API allows 10 000 requests a day instead of 300."""
    sites: Annotated[dict[SiteName, tuple[Tag, ...]], Field(min_length=1, max_length=50)] = DEFAULT_SITES
    """The sites to ask, each with tags: questions with at least one of them. Without tags: all of its questions."""
    requests_per_minute: Positive = 20.0
    """At most this many requests in any minute. The API bans an address that sends 30 in a second."""
    requests_per_day: Whole = 280
    """At most this many requests in any 24 hours, also across restarts. They are spent where most changes."""
    poll_seconds: Positive = 300.0
    """The shortest time between two requests for the same site. The daily requests usually make it longer."""
    listing_max_pages: Annotated[int, Field(ge=1, le=25)] = 3
    """At most this many pages of 100 questions are read after an outage; what is older is counted as a gap."""
    check_hours: Positive = 3.0
    """How often to ask for tracked questions that the listing shows no more. A request carries 100."""
    watch_max_items: Whole = 300
    """At most this many questions of a site are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age questions are tracked."""

    @model_validator(mode="after")
    def _the_key_travels_safely(self) -> Self:
        if self.key is not None and not is_secure(self.base_url):
            raise ValueError("base_url must be https: it carries the key (plain http is allowed on this machine only)")
        return self
