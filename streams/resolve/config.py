"""Settings of the role ``resolve``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ResolveConfig(BaseModel):
    """How signals are gathered into stories."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    beats: Annotated[
        tuple[str, ...], Field(description="Beats to watch: names of shipped ones, or paths of TOML files.")
    ] = ("general",)
    flush_seconds: Annotated[float, Field(gt=0, le=5, description="How long signals are gathered before sending.")] = (
        0.03
    )
    batch_records: Annotated[int, Field(ge=1, description="Most records read at once, from all partitions.")] = 20_000
    waiting_records: Annotated[
        int, Field(ge=1_000, description="Signals that may wait in a partition before reading it pauses.")
    ] = 50_000
    orphan_wait_seconds: Annotated[
        float, Field(ge=0, description="How long, in event time, a reply waits for its root post.")
    ] = 60.0
    forget_hours: Annotated[
        float, Field(gt=0, description="Event time without a new post after which a story expires.")
    ] = 168.0
    keep_forgotten_seconds: Annotated[
        float,
        Field(gt=0, description="How long the records of an expired story stay, for a source that is read again."),
    ] = 600.0
    idle_seconds: Annotated[
        float, Field(gt=0, description="Silence after which a fully read partition no longer holds up the others.")
    ] = 0.5
    heartbeat_seconds: Annotated[
        float, Field(gt=0, description="Longest time between two watermarks of a partition.")
    ] = 0.5
    patience_seconds: Annotated[
        float, Field(gt=0, description="How long, live, a slow partition or an undecided post holds up the others.")
    ] = 1.0
    commit_seconds: Annotated[float, Field(gt=0, description="How often offsets are committed.")] = 1.0
    max_dead_share: Annotated[
        float,
        Field(gt=0, le=1, description="Share of records that are not signals above which resolve stops; 1: never."),
    ] = 0.5
    dead_share_records: Annotated[
        int, Field(ge=1_000, description="Number of records over which a worker takes that share.")
    ] = 100_000
    session_seconds: Annotated[
        float, Field(ge=1, description="Silence after which a worker counts as dead and its partitions move.")
    ] = 10.0
