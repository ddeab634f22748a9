"""Settings of the role ``score``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr


class EndpointConfig(BaseModel):
    """An endpoint that speaks OpenAI's chat completions with structured answers, and what it may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: HttpUrl = HttpUrl("https://api.openai.com/v1")
    """Where it is; ``/chat/completions`` is appended."""
    model: Annotated[str, Field(min_length=1)] = "gpt-4o-mini"
    """The model to ask for."""
    api_key: SecretStr | None = None
    """Its key; none for a server that asks for none."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 20.0
    """A request without an answer by then has failed."""
    requests_per_hour: Annotated[int, Field(ge=0)] = 60
    """At most so many requests in any hour, per worker."""
    requests_per_day: Annotated[int, Field(ge=0)] = 500
    """At most so many requests in any day, per worker."""


class ScoreConfig(BaseModel):
    """How stories are scored and when a score is emitted."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    tick_ms: Annotated[int, Field(ge=100)] = 1_000
    """Grid of event time on which states and spikes are decided."""
    emit_every_seconds: Annotated[float, Field(ge=0)] = 0.25
    """Least time between two scores of a story, unless its state changes."""
    emit_every_behind_seconds: Annotated[float, Field(ge=0)] = 2.0
    """The same, while event time is more than ten seconds behind."""
    emit_fade_points: Annotated[float, Field(ge=0, le=100)] = 0.1
    """A quiet story is emitted again when it has decayed this far."""
    keep_every_seconds: Annotated[float, Field(ge=0)] = 1.0
    """How often states without news are written; after a crash, this much is read again."""
    keep_every_behind_seconds: Annotated[float, Field(ge=0)] = 5.0
    """The same, while event time is more than ten seconds behind."""
    patience_seconds: Annotated[float, Field(gt=0)] = 1.0
    """How long, live, a silent source holds up the others."""
    batch_records: Annotated[int, Field(ge=1)] = 1_000
    """Most records taken from the stream at once."""
    flush_seconds: Annotated[float, Field(gt=0, le=5)] = 0.02
    """How long records are gathered before scoring."""
    retention_days: Annotated[float, Field(gt=0)] = 7.0
    """How long a resolved story is kept before it is deleted, in event time."""
    session_seconds: Annotated[float, Field(ge=1)] = 10.0
    """Silence after which a worker counts as dead and its partitions move."""
    assessor: Literal["offline", "openai", "none"] = "offline"
    """What estimates the impact of a story: the model in the wheel, an endpoint (the model in the wheel until that has
    answered), or nothing (an impact of 50)."""
    openai: EndpointConfig = EndpointConfig()
    figures_file: Path | None = None
    """Public figures of your own, TOML; adds to those that ship, and replaces those of the same id."""
