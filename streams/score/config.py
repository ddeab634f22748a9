"""Settings of the role ``score``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr


class EndpointConfig(BaseModel):
    """An endpoint that speaks OpenAI's chat completions with structured answers, and what it may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[HttpUrl, Field(description="Where it is; ``/chat/completions`` is appended.")] = HttpUrl(
        "https://api.openai.com/v1"
    )
    model: Annotated[str, Field(min_length=1, description="The model to ask for.")] = "gpt-4o-mini"
    api_key: Annotated[SecretStr | None, Field(description="Its key; none for a server that asks for none.")] = None
    timeout_seconds: Annotated[float, Field(gt=0, description="A request without an answer by then has failed.")] = 20.0
    requests_per_hour: Annotated[int, Field(ge=0, description="At most so many requests in any hour, per worker.")] = 60
    requests_per_day: Annotated[int, Field(ge=0, description="At most so many requests in any day, per worker.")] = 500


class ScoreConfig(BaseModel):
    """How stories are scored and when a score is emitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tick_ms: Annotated[int, Field(ge=100, description="Grid of event time on which states and spikes are decided.")] = (
        1_000
    )
    emit_every_seconds: Annotated[
        float, Field(ge=0, description="Least time between two scores of a story, unless its state changes.")
    ] = 0.25
    emit_every_behind_seconds: Annotated[
        float, Field(ge=0, description="The same, while event time is more than ten seconds behind.")
    ] = 2.0
    emit_fade_points: Annotated[
        float, Field(ge=0, le=100, description="A quiet story is emitted again when it has decayed this far.")
    ] = 0.1
    keep_every_seconds: Annotated[
        float,
        Field(ge=0, description="How often states without news are written; after a crash, this much is read again."),
    ] = 1.0
    keep_every_behind_seconds: Annotated[
        float, Field(ge=0, description="The same, while event time is more than ten seconds behind.")
    ] = 5.0
    patience_seconds: Annotated[
        float, Field(gt=0, description="How long, live, a silent source holds up the others.")
    ] = 1.0
    batch_records: Annotated[int, Field(ge=1, description="Most records taken from the stream at once.")] = 1_000
    flush_seconds: Annotated[float, Field(gt=0, le=5, description="How long records are gathered before scoring.")] = (
        0.02
    )
    retention_days: Annotated[
        float, Field(gt=0, description="How long a resolved story is kept before it is deleted, in event time.")
    ] = 7.0
    session_seconds: Annotated[
        float, Field(ge=1, description="Silence after which a worker counts as dead and its partitions move.")
    ] = 10.0
    assessor: Annotated[
        Literal["offline", "openai", "none"],
        Field(
            description="What estimates the impact of a story: the model in the wheel, an endpoint (the model in the "
            "wheel until that has answered), or nothing (an impact of 50)."
        ),
    ] = "offline"
    openai: EndpointConfig = EndpointConfig()
    figures_file: Annotated[
        Path | None,
        Field(
            description="Public figures of your own, TOML; adds to those that ship, and replaces those of the same id."
        ),
    ] = None
