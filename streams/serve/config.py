"""Settings of the role ``serve``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ServeConfig(BaseModel):
    """How the ranking is served, and how much of the past is kept in memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(description="Address to listen on. There is no login: leave it on loopback.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 8470
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(
            description="Names, besides localhost and bare addresses, that this server answers to, such as a proxy's. "
            "Others are refused: another site may have pointed its name at this machine (DNS rebinding)."
        ),
    ] = ()
    flush_interval_ms: Annotated[
        int, Field(ge=10, le=10_000, description="How often changes are sent to a WebSocket client.")
    ] = 200
    max_clients: Annotated[int, Field(ge=1, le=10_000, description="Most WebSocket clients at the same time.")] = 256
    client_timeout_seconds: Annotated[
        float, Field(gt=0, le=600, description="A client that receives nothing for this long is dropped.")
    ] = 10.0
    stale_after_seconds: Annotated[
        float, Field(gt=0, description="The status is stale when no score is newer than this.")
    ] = 120.0
    events_kept: Annotated[int, Field(ge=1, le=100_000, description="Recent events kept in memory, of each type.")] = (
        500
    )
    events_read_back: Annotated[
        int, Field(ge=0, description="Newest events read at the start, for the feed and the trends.")
    ] = 20_000
    trend_points: Annotated[
        int,
        Field(ge=8, le=10_000, description="Points kept of each story's trend. Older points are thinned out first."),
    ] = 96
