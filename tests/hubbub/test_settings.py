"""The settings: each is described, secrets are found, and the connection is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from hubbub.settings import KafkaSettings, Settings, SettingsError, secrets


def undescribed(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the settings without a description, groups of settings left out."""
    for name, field in model.model_fields.items():
        groups = [kind for kind in (field.annotation, *get_args(field.annotation)) if is_group(kind)]
        for group in groups:
            yield from undescribed(group, f"{path}{name}.")
        if not groups and not (field.description or "").strip():
            yield f"{path}{name}"


def is_group(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def test_every_setting_has_a_description() -> None:
    assert list(undescribed(Settings)) == []


def test_a_setting_without_a_description_is_found() -> None:
    class Planted(BaseModel):
        kafka: KafkaSettings = KafkaSettings()
        planted: int = 1

    assert list(undescribed(Planted)) == ["planted"]


def test_secrets_are_found_at_every_depth() -> None:
    settings = Settings.model_validate(
        {
            "kafka": {"sasl_password": "k"},
            "collect": {
                "reddit": {"client_id": "i", "client_secret": "r"},
                "mastodon": {"instances": {"social.example": {"access_token": "m"}}},
            },
        }
    )
    assert set(secrets(settings)) == {"k", "r", "m"}
    assert "sasl_password='k'" not in repr(settings)


@pytest.mark.parametrize(
    ("protocol", "encrypted", "login"),
    [("PLAINTEXT", False, False), ("SSL", True, False), ("SASL_PLAINTEXT", False, True), ("SASL_SSL", True, True)],
)
def test_a_protocol_means_encryption_and_login(protocol: str, *, encrypted: bool, login: bool) -> None:
    kafka = KafkaSettings.model_validate({"security_protocol": protocol, "sasl_username": "u", "sasl_password": "p"})
    options = kafka.client_options()
    assert ("ssl_context" in options) is encrypted
    assert (options.get("sasl_plain_password") == "p") is login


def test_certificates_that_cannot_be_read_are_a_mistake_in_the_settings() -> None:
    kafka = KafkaSettings.model_validate({"security_protocol": "SSL", "ca_file": "/no/such/file.pem"})
    with pytest.raises(SettingsError, match="the certificates cannot be used"):
        kafka.client_options()
