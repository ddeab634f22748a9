"""Options of the YouTube collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.secure_url import SecureUrl

ChannelId = Annotated[str, StringConstraints(pattern=r"^UC[A-Za-z0-9_-]{22}$")]

DEFAULT_CHANNELS = (
    "UCNJ1Ymd5yFuUPtn21xtRbbw",  # AI Explained
    "UCrDwWp7EBBv4NwvScIpBDOA",  # Anthropic
    "UC9-y-6csu5WGm29I7JiwpnA",  # Computerphile
    "UCsBjURrPoezykLs9EqgamOA",  # Fireship
    "UCP7jMXSY2xbc3KCAE0MHQ-A",  # Google DeepMind
    "UCSHZKyawb77ixDdsGog4iWA",  # Lex Fridman
    "UCXZCJLdBC09xxGZ6gcdrc6A",  # OpenAI
    "UCbfYPyITQ-7l4upoX8nvctg",  # Two Minute Papers
    "UCZHmQk67mSJgfCCTn7xBfew",  # Yannic Kilcher
)


class YouTubeConfig(CollectorConfig):
    """How to collect from YouTube. Seconds are real seconds; hours are hours of the items' age.

    New videos come from the channels' feeds, which cost nothing. Counts and comments cost units of the key's daily
    quota. By YouTube's terms, raw counts may be kept for 30 days without asking again. So keep the topic ``signals``
    and the archive for at most 30 days (``retention.ms``). Scores are derived numbers.
    """

    api_key: SecretStr
    """A key for the YouTube Data API v3, from the Google Cloud console."""
    api_url: SecureUrl = HttpUrl("https://www.googleapis.com")
    """Where the API is; ``/youtube/v3/…`` is appended."""
    feeds_url: HttpUrl = HttpUrl("https://www.youtube.com")
    """Where the channels' feeds are; ``/feeds/videos.xml`` is appended."""
    channels: Annotated[tuple[ChannelId, ...], Field(min_length=1, max_length=500)] = DEFAULT_CHANNELS
    """Ids of the channels to collect from: 24 characters that begin with ``UC``, in a channel's page under "share"."""
    units_per_day: Whole = 10_000
    """The quota of the key. It begins again at midnight, Pacific time."""
    feed_seconds: Positive = 600.0
    """How often to read the feed of each channel."""
    channels_hours: Positive = 24.0
    """How often to ask for the channels' subscribers, in real hours."""
    comments: bool = True
    """Whether to collect comments."""
    comments_seconds: Positive = 20.0
    """How often to read the comments of a video: the one with the most new ones. Each time costs a unit a page."""
    comments_max_pages: Annotated[int, Field(ge=1, le=20)] = 3
    """At most this many pages of 100 comments at a time."""
    reobserve_seconds: Positive = 60.0
    """How often to check which tracked videos are due. 50 of them cost one unit."""
    watch_max_items: Whole = 1_000
    """At most this many videos are tracked: polled again for their counts."""
    watch_hours: Positive = 72.0
    """Up to which age videos are tracked, and how old a video may be at the first start."""
