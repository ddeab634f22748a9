"""Options of the webhook.

Owns their names, defaults and limits. Must never know how they are used.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from ingest.collector import CollectorConfig, Positive, Whole
from ingest.platforms.webhook.signature import decode_secret

__all__ = ["WebhookConfig"]

PlatformName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class WebhookConfig(CollectorConfig):
    """Where the webhook listens, who may send, and how much. Seconds are real seconds."""

    host: str = "127.0.0.1"
    """The address to listen on. Put a proxy with TLS before any address that other machines reach."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8090
    """The port to listen on; 0 takes a free one."""
    token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """A secret that senders put into ``Authorization: Bearer``; at least 16 characters."""
    signing_secret: SecretStr | None = None
    """A secret that senders sign with (Standard Webhooks): ``whsec_`` and 24 to 64 bytes in base64."""
    platforms: tuple[PlatformName, ...] = ()
    """Platforms that senders may write; none: every name but those of Hubbub's own collectors."""
    requests_per_minute: Positive = 600.0
    """At most this many requests of one sender in any minute."""
    request_timeout_seconds: Annotated[int, Field(gt=0)] = 15
    """A request that has not arrived whole by then is refused."""
    publish_timeout_seconds: Positive = 30.0
    """A sender that waits this long for the broker is asked to send again."""
    max_concurrent_requests: Whole = 16
    """At most this many requests are read at the same time. It bounds memory, with ``body_max_bytes``."""
    body_max_bytes: Annotated[int, Field(ge=1, le=67_108_864)] = 4_194_304
    """Largest body of a request, also after it is decompressed."""
    request_max_items: Whole = 10_000
    """At most this many lines in one request."""
    queue_max_items: Whole = 20_000
    """At most this many lines wait for the broker; with more, senders are asked to send again."""
    batch_max_items: Whole = 2_000
    """About so many lines are published at a time. One request is never divided."""

    @field_validator("signing_secret")
    @classmethod
    def _is_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            decode_secret(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _some_sender_can_be_recognised(self) -> Self:
        if self.token is None and self.signing_secret is None:
            raise ValueError("set token or signing_secret: without one every program could write signals")
        return self
