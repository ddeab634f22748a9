"""Options of the Mastodon collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, StringConstraints, model_validator

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.secure_url import is_secure

Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?$", max_length=255)]
Tag = Annotated[str, StringConstraints(pattern=r"^\w+$", max_length=100)]


class Instance(BaseModel):
    """One instance. Its host is the key of the table."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    access_token: SecretStr | None = None
    """A token of an account on the instance, with the scope ``read:statuses``; without one nothing is streamed."""
    url: HttpUrl | None = None
    """Where the instance is; none: ``https://`` and its host."""

    def base_url(self, host: str) -> str:
        """Return where the instance is, without a slash at the end."""
        return str(self.url or f"https://{host}").rstrip("/")


DEFAULT_INSTANCES: Final[Mapping[str, Instance]] = {
    host: Instance() for host in ("mastodon.social", "hachyderm.io", "fosstodon.org", "sigmoid.social")
}
DEFAULT_TAGS: Final = (
    "ai",
    "artificialintelligence",
    "llm",
    "genai",
    "openai",
    "chatgpt",
    "anthropic",
    "claude",
    "gemini",
    "deepseek",
)


class MastodonConfig(CollectorConfig):
    """How to collect from Mastodon. Seconds are real seconds; hours are hours of the items' age."""

    instances: Annotated[Mapping[Host, Instance], Field(min_length=1, max_length=50)] = DEFAULT_INSTANCES
    """Instances to read, by host; each may have an ``access_token``."""
    requests_per_minute: Positive = 240.0
    """At most this many requests in any minute, to all instances together."""
    instance_requests_per_minute: Positive = 50.0
    """At most this many requests in any minute to one instance, which allows 300 in 5 minutes."""
    public_timeline: bool = True
    """Whether to read the public timelines: all that an instance sees. Many refuse them without a token."""
    poll_seconds: Positive = 10.0
    """How often to ask for the newest statuses of a public timeline that is not streamed."""
    tags: Annotated[tuple[Tag, ...], Field(max_length=50)] = DEFAULT_TAGS
    """Hashtags to read on every instance; most instances show them without a token."""
    tags_poll_seconds: Positive = 30.0
    """How often to ask for the newest statuses with hashtags; one request carries five of them."""
    stream_seconds: Positive = 0.5
    """How often to take what was streamed. Streaming needs a token."""
    stream_check_seconds: Positive = 90.0
    """How often to compare a stream with the timeline."""
    late_seconds: Annotated[float, Field(ge=0)] = 90.0
    """How long to wait for statuses of other instances, in seconds of their age, before a timeline counts as read."""
    backfill_hours: Annotated[float, Field(ge=0)] = 1.0
    """How far to reach back at the first start."""
    catch_up_hours: Positive = 24.0
    """How far to reach back after an outage; older statuses are skipped and counted as a gap."""
    catch_up_seconds: Positive = 2.0
    """How often to read a page of the statuses that are still to be caught up on."""
    threads_seconds: Positive = 3.0
    """How often to read a thread: for the root of a reply, or for the replies to a tracked post."""
    reobserve_seconds: Positive = 10.0
    """How often to check which tracked posts are due."""
    reobserve_max_items: Whole = 40
    """At most this many tracked posts of an instance are polled at a time; a request carries 20."""
    watch_max_items: Whole = 1_000
    """At most this many posts are tracked on all instances together: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age posts are tracked."""

    @model_validator(mode="after")
    def _something_is_read_and_tokens_travel_safely(self) -> "MastodonConfig":
        if not self.public_timeline and not self.tags:
            raise ValueError("set public_timeline or tags: otherwise nothing is read")
        for host, instance in self.instances.items():
            if instance.access_token and instance.url and not is_secure(instance.url):
                raise ValueError(f"the url of {host} must be https: it carries a token")
        return self
