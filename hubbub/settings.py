"""Settings: ``hubbub.toml``, then the environment (``HUBBUB_…``, ``__`` between levels). Unknown keys are errors.

Owns what an operator may set, and the message for each mistake. Each role's settings are defined beside the role.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnparsedError

from hubbub.clock import Clock, WorldClock, wall_clock
from hubbub.secret_options import SecretError, refuse_loose, secret_files, secrets_in, with_secret_files
from hubbub.setting_mistakes import mistakes
from ingest.collector import CollectorConfig
from ingest.registry import PLATFORMS
from streams.resolve.config import ResolveConfig
from streams.score.config import ScoreConfig
from streams.serve.config import ServeConfig
from transport.errors import UserError

FILE = "hubbub.toml"
PREFIX = "HUBBUB_"


class SettingsError(UserError):
    """The settings cannot be used. The message says which one, why, and how to fix it."""


class KafkaSettings(BaseModel):
    """The connection to the broker, and the layout of Hubbub's topics."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    bootstrap_servers: str = "127.0.0.1:9092"
    """host:port of the brokers, separated by commas."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$")] = ""
    """Prefix of the names of topics and groups."""
    partitions: Annotated[int, Field(ge=1, le=1_000)] = 4
    """Partitions of the topics that scale; a role can have this many workers."""
    replication: Annotated[int, Field(ge=1, le=10)] = 1
    """Copies of each record; use 3 in production."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Encryption (SSL) and login (SASL) of the connection."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """How to log in, with SASL."""
    sasl_username: str | None = None
    """User name for SASL."""
    sasl_password: SecretStr | None = None
    """Password for SASL."""
    ca_file: Path | None = None
    """Trusted certificates, a PEM file; none: those of the system."""
    cert_file: Path | None = None
    """Our certificate for mutual TLS, a PEM file."""
    key_file: Path | None = None
    """Key of our certificate, a PEM file."""

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_servers(cls, text: str) -> str:
        for server in text.split(","):
            parts = re.fullmatch(r"(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?", server.strip(), re.ASCII)
            if parts is None or not 0 < int(parts[1] or 9092) <= 65_535:
                raise ValueError(f"{server!r} is not of the form HOST:PORT, as 127.0.0.1:9092 is")
        return text

    def client_options(self) -> dict[str, object]:
        """Return the connection as aiokafka's keyword arguments.

        Raises:
            SettingsError: a certificate cannot be read, or the login is incomplete.
        """
        options: dict[str, object] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            try:
                context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
                if self.cert_file is not None:
                    context.load_cert_chain(str(self.cert_file), None if self.key_file is None else str(self.key_file))
            except OSError as error:
                raise SettingsError(f"kafka: the certificates cannot be used: {error}") from None
            options["ssl_context"] = context
        if self.security_protocol.startswith("SASL"):
            if not (self.sasl_username and self.sasl_password):
                raise SettingsError(f"kafka: {self.security_protocol} needs both sasl_username and sasl_password")
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options


if TYPE_CHECKING:
    _PlatformSettings = BaseModel
else:
    _PlatformSettings = create_model(
        "_PlatformSettings",
        **{
            name: (spec.config | None, Field(None, description="None: no account, so not collected."))
            if spec.needs_account
            else (spec.config, spec.config())
            for name, spec in PLATFORMS.items()
        },
    )


class CollectSettings(_PlatformSettings):
    """The platforms to collect from."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    names: tuple[str, ...] | None = None
    """Collectors to run; none: those that need no account, and those whose account is set."""

    def chosen(self) -> tuple[str, ...]:
        """Return the names of the collectors to run."""
        if self.names is not None:
            return self.names
        return tuple(name for name in PLATFORMS if self._config(name) is not None)

    def configs(self, names: Collection[str]) -> dict[str, CollectorConfig]:
        """Return the options of the collectors ``names``.

        Raises:
            SettingsError: one does not exist, or needs an account that is not set.
        """
        configs = {}
        for name in names:
            if name not in PLATFORMS:
                raise SettingsError(f"no such collector: {name}; there are: {', '.join(PLATFORMS)}")
            config = self._config(name)
            if config is None:
                raise SettingsError(f"collector {name} needs {PLATFORMS[name].needs}; set it in [collect.{name}]")
            configs[name] = config
        return configs

    def _config(self, name: str) -> CollectorConfig | None:
        config: CollectorConfig | None = getattr(self, name)
        return config


class Settings(BaseSettings):
    """All settings of Hubbub."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file=FILE,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    collect: CollectSettings = CollectSettings()
    resolve: ResolveConfig = ResolveConfig()
    score: ScoreConfig = ScoreConfig()
    serve: ServeConfig = ServeConfig()
    metrics_host: str = "127.0.0.1"
    """Address of /metrics, /healthz and /readyz. They need no login: keep it private."""
    metrics_allowed_hosts: tuple[str, ...] = ()
    """Names, besides localhost and bare addresses, by which Prometheus and probes may ask for them."""
    metrics_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """Port of /metrics, /healthz and /readyz; none: one port for each role, from 9101 on."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log lines to write."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """Format of log lines; auto: console on a terminal, else json."""
    world_clock: str | None = None
    """Clock of a simulated world, ORIGIN@STARTEDxSPEED; hubbub demo sets it."""

    @field_validator("world_clock")
    @classmethod
    def _is_clock(cls, text: str | None) -> str | None:
        if text is not None:
            WorldClock.parse(text)
        return text

    def clock(self) -> Clock:
        """Return the clock that all times come from."""
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
        """Prefer the command line, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        assert isinstance(env_settings, EnvSettingsSource)  # noqa: S101 (what pydantic-settings documents)
        env_settings.env_vars = with_secret_files(settings_cls, env_settings.env_vars, PREFIX.lower())
        file = TomlConfigSettingsSource(settings_cls)
        if secret := next(secrets_in(settings_cls, file.toml_data), None):
            refuse_loose(Path(FILE), f"the secret {secret}")
        return init_settings, env_settings, file


def load(**overrides: Any) -> Settings:
    """Read the settings of this folder and environment.

    Raises:
        SettingsError: a key or a value is wrong, or the file cannot be read. The message names each.
    """
    unknown = _unknown_environment()
    if unknown:
        raise SettingsError(f"no such setting: {', '.join(unknown)}; see docs/reference/settings.md")
    if (file := Path(FILE)).exists() and not file.is_file():
        raise SettingsError(f"{FILE} is not a file; remove it, or put the settings in a file of that name")
    try:
        return Settings(**overrides)
    except SecretError as error:
        raise SettingsError(f"{error}; see docs/reference/settings.md") from None
    except UnparsedError as error:
        value = getattr(error.__cause__, "doc", None)
        names = [name for name in os.environ if name.upper().startswith("HUBBUB_") and os.environ[name] == value]
        raise SettingsError(
            f"{' or '.join(names) or error} is not JSON, as a list or a group of settings must be, such as "
            "HUBBUB_RESOLVE__BEATS='[\"ai\"]'; see docs/reference/settings.md"
        ) from None
    except ValidationError as error:
        said = "; ".join(mistakes(error, Settings))
        raise SettingsError(f"wrong settings (in {FILE} or HUBBUB_…): {said}; see docs/reference/settings.md") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{FILE} cannot be read: {error}") from None


def files(settings: Settings) -> list[Path]:
    """Return the files that ``settings`` were read from, whether or not they are there: a change may be a new file."""
    variables = {name.lower(): value for name, value in os.environ.items()}
    return [
        Path(FILE),
        *map(Path, secret_files(Settings, variables, PREFIX.lower()).values()),
        *map(Path, settings.resolve.beats),
        *named_files(settings.collect),
    ]


def named_files(value: object) -> Iterator[Path]:
    """Yield the files that options name, at every depth."""
    if isinstance(value, Path):
        yield value
    for part in _parts(value):
        yield from named_files(part)


def secrets(value: object) -> Iterator[str]:
    """Yield the values of settings that must not be in a log, at every depth."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    for part in _parts(value):
        yield from secrets(part)


def _parts(value: object) -> list[object]:
    """Return the values in a group of settings, a mapping or a list."""
    if isinstance(value, BaseModel):
        return [part for _, part in value]
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _unknown_environment() -> list[str]:
    """Return the variables that are no setting: pydantic ignores unknown ones at the top level."""
    known = {f"HUBBUB_{field.upper()}" for field in Settings.model_fields}
    return sorted(
        variable for variable in os.environ if variable.startswith("HUBBUB_") and variable.split("__")[0] not in known
    )
