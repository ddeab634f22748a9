"""Settings of the role ``serve``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ServeConfig(BaseModel):
    """How the ranking is served, and how much of the past is kept in memory."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on. There is no login: leave it on loopback."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8470
    """Port to listen on; 0 takes a free one."""
    allowed_hosts: tuple[str, ...] = ()
    """Names, besides localhost and bare addresses, that this server answers to, such as a proxy's. Others are refused:
    another site may have pointed its name at this machine (DNS rebinding)."""
    flush_interval_ms: Annotated[int, Field(ge=10, le=10_000)] = 200
    """How often changes are sent to a WebSocket client."""
    max_clients: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Most WebSocket clients at the same time."""
    client_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    """A client that receives nothing for this long is dropped."""
    stale_after_seconds: Annotated[float, Field(gt=0)] = 120.0
    """The status is stale when no score is newer than this."""
    events_kept: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Recent events kept in memory, of each type."""
    events_read_back: Annotated[int, Field(ge=0)] = 20_000
    """Newest events read at the start, for the feed and the trends."""
    trend_points: Annotated[int, Field(ge=8, le=10_000)] = 96
    """Points kept of each story's trend. Older points are thinned out first."""
