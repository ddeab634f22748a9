"""Settings: ``hubbub.toml``, then the environment (``HUBBUB_…``, ``__`` between levels). Unknown keys are errors.

Owns what an operator may set and how a mistake in it is told. Each role's settings are defined beside the role.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hubbub.clock import Clock, WorldClock, wall_clock
from ingest.collector import CollectorConfig
from ingest.platforms.hackernews.config import HackerNewsConfig
from ingest.platforms.reddit.config import RedditConfig
from ingest.registry import COLLECTORS
from streams.resolve.config import ResolveConfig
from streams.score.config import ScoreConfig
from streams.serve.config import ServeConfig

__all__ = ["KafkaSettings", "Settings", "SettingsError", "load"]

FILE = "hubbub.toml"


class SettingsError(ValueError):
    """The settings cannot be used. The message says which, why, and what to do."""


class KafkaSettings(BaseModel):
    """Where the broker is and how Hubbub's topics are laid out on it."""

    model_config = ConfigDict(extra="forbid")

    bootstrap_servers: Annotated[str, Field(description="host:port of one or more brokers, separated by commas.")] = (
        "127.0.0.1:9092"
    )
    topic_prefix: Annotated[
        str, Field(pattern=r"^[a-zA-Z0-9._-]*$", description="What the names of topics and groups start with.")
    ] = ""
    partitions: Annotated[
        int, Field(ge=1, le=1_000, description="Partitions of the topics that scale; most workers of one role.")
    ] = 4
    replication: Annotated[int, Field(ge=1, le=10, description="Copies of each record; 3 in production.")] = 1
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ca_file: Annotated[Path | None, Field(description="Certificates to trust, PEM; None: the system's.")] = None
    cert_file: Annotated[Path | None, Field(description="Our certificate, PEM, for mutual TLS.")] = None
    key_file: Annotated[Path | None, Field(description="The key of our certificate, PEM.")] = None

    def client_options(self) -> dict[str, object]:
        """Return the connection as aiokafka's keyword arguments.

        Raises:
            SettingsError: a certificate cannot be read.
        """
        options: dict[str, object] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if "SSL" in self.security_protocol and self.security_protocol != "SASL_PLAINTEXT":
            try:
                context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
                if self.cert_file is not None:
                    context.load_cert_chain(str(self.cert_file), None if self.key_file is None else str(self.key_file))
            except OSError as error:
                raise SettingsError(f"kafka: the certificates cannot be used: {error}") from None
            options["ssl_context"] = context
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value() if self.sasl_password else None
        return options


class CollectSettings(BaseModel):
    """Which platforms to collect from, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Annotated[
        tuple[str, ...] | None,
        Field(description="Collectors to run; None: those that need no account or are given one."),
    ] = None
    hackernews: HackerNewsConfig = HackerNewsConfig()
    reddit: Annotated[RedditConfig | None, Field(description="None: no account, so not collected.")] = None

    def chosen(self) -> tuple[str, ...]:
        """Return the names of the collectors to run."""
        if self.names is not None:
            return self.names
        return tuple(name for name in COLLECTORS if self._config(name) is not None)

    def configs(self, names: Collection[str]) -> dict[str, CollectorConfig]:
        """Return the options of the collectors ``names``.

        Raises:
            SettingsError: one does not exist, or needs an account that is not set.
        """
        configs = {}
        for name in names:
            if name not in COLLECTORS:
                raise SettingsError(f"no such collector: {name}; there are: {', '.join(COLLECTORS)}")
            config = self._config(name)
            if config is None:
                raise SettingsError(f"collector {name} needs {COLLECTORS[name].needs}; set it in [collect.{name}]")
            configs[name] = config
        return configs

    def _config(self, name: str) -> CollectorConfig | None:
        config: CollectorConfig | None = getattr(self, name)
        return config


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix="HUBBUB_", env_nested_delimiter="__", toml_file=FILE, extra="forbid", frozen=True
    )

    kafka: KafkaSettings = KafkaSettings()
    collect: CollectSettings = CollectSettings()
    resolve: ResolveConfig = ResolveConfig()
    score: ScoreConfig = ScoreConfig()
    serve: ServeConfig = ServeConfig()
    metrics_host: Annotated[
        str, Field(description="Address of /metrics, /healthz and /readyz; anyone who reaches it may read them.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int | None, Field(ge=0, le=65_535, description="Port of /metrics, /healthz and /readyz; None: the role's own.")
    ] = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Annotated[Literal["auto", "console", "json"], Field(description="auto: json unless on a terminal.")] = (
        "auto"
    )
    world_clock: Annotated[
        str | None, Field(description="A simulated world's clock, ORIGIN@STARTEDxSPEED; set by hubbub demo.")
    ] = None

    def clock(self) -> Clock:
        """Return the clock to live by."""
        return WorldClock.parse(self.world_clock) if self.world_clock else wall_clock

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the command line says first, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**overrides: Any) -> Settings:
    """Read the settings of this folder and environment.

    Raises:
        SettingsError: a value or a key is wrong; each is named, with where it comes from.
    """
    unknown = _unknown_environment()
    if unknown:
        raise SettingsError(f"no such setting: {', '.join(unknown)}; see docs/reference/settings.md")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise SettingsError(f"wrong settings (from {FILE} or HUBBUB_…): " + "; ".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"{FILE}: {error}") from None


def _unknown_environment() -> list[str]:
    """Return variables that look like settings and are none: pydantic ignores those at the top level."""
    known = {f"HUBBUB_{field.upper()}" for field in Settings.model_fields}
    return sorted(
        variable for variable in os.environ if variable.startswith("HUBBUB_") and variable.split("__")[0] not in known
    )
