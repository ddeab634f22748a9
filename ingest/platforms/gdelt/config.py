"""Options of the GDELT collector.

Owns their names, defaults and limits. Must never know how they are used.
"""

from typing import Annotated, Literal

from pydantic import Field, HttpUrl, model_validator

from ingest.collector import CollectorConfig, Positive, Whole


class GdeltConfig(CollectorConfig):
    """How to collect from GDELT. Seconds are real seconds."""

    source: Literal["files", "api"] = "files"
    """``files``: all pages, in a file every 15 minutes, without a limit. ``api``: a search, limited and often slow."""
    files_url: HttpUrl = HttpUrl("http://data.gdeltproject.org")
    """Where the files are. The host has no certificate of its own, so this is plain http."""
    translated: bool = False
    """Whether to read the files of pages in other languages than English in place of those in English."""
    api_url: HttpUrl = HttpUrl("https://api.gdeltproject.org")
    """Where the search is."""
    query: str = ""
    """What to search for, as GDELT's DOC API writes it; needed for ``api`` only."""
    requests_per_minute: Positive = 30.0
    """At most this many requests in any minute."""
    request_timeout_seconds: Annotated[int, Field(gt=0)] = 60
    """A request without an answer by then has failed. The search takes up to 20 seconds, a file as long as it is."""
    poll_seconds: Annotated[float, Field(ge=1)] = 60.0
    """How often to ask for a new file, or to search; the search must not be asked more than once in 5 seconds."""
    backfill_files: Whole = 4
    """How many of the latest files to read at the first start."""
    catch_up_max_files: Whole = 96
    """How many files to catch up on after an outage; older ones are skipped and counted as a gap."""
    file_max_tries: Whole = 4
    """How often to ask for a file that is missing or cannot be read, before going on without it."""
    search_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How far a search reaches back."""

    @model_validator(mode="after")
    def _searches_for_something(self) -> "GdeltConfig":
        if self.source == "api" and not self.query.strip():
            raise ValueError('source "api" needs a query')
        return self
