"""Credentials travel over https only, or stay on this machine."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest.registry import PLATFORMS
from ingest.secure_url import SecureUrl

ADAPTER: TypeAdapter[object] = TypeAdapter(SecureUrl)


@pytest.mark.parametrize("url", ["https://api.example", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"])
def test_safe(url: str) -> None:
    assert str(ADAPTER.validate_python(url)).startswith(url)


@pytest.mark.parametrize(
    "url", ["http://api.example", "http://10.0.0.1", "http://localhost.example", "ftp://a.example"]
)
def test_unsafe(url: str) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(url)


@pytest.mark.parametrize(
    ("platform", "options"),
    [
        ("x", {"bearer_token": "secret", "base_url": "http://api.example"}),
        ("youtube", {"api_key": "secret", "api_url": "http://api.example"}),
    ],
)
def test_options_of_platforms_with_credentials(platform: str, options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must be https") as raised:
        PLATFORMS[platform].config.model_validate(options)
    assert "secret" not in str(raised.value)
