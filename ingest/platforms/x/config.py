"""Options of the X collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.secure_url import SecureUrl

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]

DEFAULT_QUERIES = (
    "(from:OpenAI OR from:AnthropicAI OR from:GoogleDeepMind OR from:AIatMeta OR from:MistralAI OR from:xai"
    " OR from:huggingface OR from:sama OR from:ylecun OR from:demishassabis) -is:reply",
)


class XConfig(CollectorConfig):
    """How to collect from X. Seconds are real seconds; hours are hours of the items' age.

    X charges for every post that it gives, the same one once in a UTC day. Hubbub asks for no more than the budget
    allows: the smallest of ``posts_per_day``, ``posts_per_month`` and ``usd_per_month``. The cursor holds how much is
    spent.
    """

    bearer_token: SecretStr
    """The app's bearer token, from the developer console."""
    base_url: SecureUrl = HttpUrl("https://api.x.com")
    """Where the API is; ``/2/…`` is appended."""
    requests_per_minute: Positive = 30.0
    """At most this many requests in any minute. X allows 450 searches in 15 minutes."""
    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=25)] = DEFAULT_QUERIES
    """What to collect, in X's query language. Each is a rule of the stream and a search; rules of others stay."""
    posts_per_day: Annotated[int, Field(ge=0)] = 500
    """At most this many posts in a UTC day."""
    posts_per_month: Annotated[int, Field(ge=0)] = 10_000
    """At most this many posts in a calendar month (UTC). X sells at most 2 000 000."""
    usd_per_month: Annotated[float, Field(ge=0)] = 50.0
    """At most this many US dollars in a calendar month (UTC)."""
    usd_per_post: Annotated[float, Field(ge=0)] = 0.005
    """The price of a post; the developer console shows yours."""
    usd_per_author: Annotated[float, Field(ge=0)] = 0.01
    """The price of an author's profile, which comes with a post. 0 if your bill has none."""
    originals: bool = True
    """Whether posts that are quoted, answered or reposted come along. Each is charged like any other."""
    stream: bool = True
    """Whether to use the filtered stream. Else only recent search is used."""
    stream_wait_seconds: Positive = 2.0
    """How long to gather posts of the stream before they are published."""
    stream_margin_posts: Annotated[int, Field(ge=10)] = 20
    """The stream is closed when the budget allows no more posts than these: some are on their way already, and X
    charges them. The margin grows by itself, to twice the most posts that came at once."""
    stream_backfill_minutes: Annotated[int, Field(ge=0, le=5)] = 0
    """How much the stream repeats after a break; a contract with X must include it. 0: recent search fills the gap."""
    search_seconds: Positive = 60.0
    """How often to search, without the stream."""
    backfill_hours: Annotated[float, Field(ge=0, le=160)] = 1.0
    """How far to reach back at the first start."""
    catch_up_max_posts: Whole = 200
    """At most this many posts are searched for each query after a break; what remains is counted as a gap."""
    usage_seconds: Positive = 900.0
    """How often to ask X how many posts it has counted. If they are more than ours, its number is taken."""
    reobserve_seconds: Positive = 60.0
    """How often to check which tracked posts are due."""
    reobserve_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """The share of the day's posts that may be spent on tracked posts of earlier days; those of today cost nothing."""
    watch_max_items: Whole = 1_000
    """At most this many posts are tracked: polled again for their counts."""
    watch_hours: Positive = 48.0
    """Up to which age posts are tracked."""
