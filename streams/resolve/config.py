"""Settings of the role ``resolve``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]


class ResolveConfig(BaseModel):
    """How signals are gathered into stories."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    beats: tuple[str, ...] = ("general",)
    """Beats to watch: names of shipped ones, or paths of TOML files."""
    flush_seconds: Annotated[float, Field(gt=0, le=5)] = 0.03
    """How long signals are gathered before sending."""
    batch_records: Annotated[int, Field(ge=1)] = 20_000
    """Most records read at once, from all partitions."""
    waiting_records: Annotated[int, Field(ge=1_000)] = 50_000
    """Signals that may wait in a partition before reading it pauses."""
    orphan_wait_seconds: Annotated[float, Field(ge=0)] = 60.0
    """How long, in event time, a reply waits for its root post."""
    forget_hours: Positive = 168.0
    """Event time without a new post after which a story expires."""
    keep_forgotten_seconds: Positive = 600.0
    """How long the records of an expired story stay, for a source that is read again."""
    idle_seconds: Positive = 0.5
    """Silence after which a fully read partition no longer holds up the others."""
    heartbeat_seconds: Positive = 0.5
    """Longest time between two watermarks of a partition."""
    patience_seconds: Positive = 1.0
    """How long, live, a slow partition or an undecided post holds up the others."""
    commit_seconds: Positive = 1.0
    """How often offsets are committed."""
    max_dead_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of records that are not signals above which resolve stops; 1: never."""
    dead_share_records: Annotated[int, Field(ge=1_000)] = 100_000
    """Number of records over which a worker takes that share."""
    session_seconds: Annotated[float, Field(ge=1)] = 10.0
    """Silence after which a worker counts as dead and its partitions move."""
