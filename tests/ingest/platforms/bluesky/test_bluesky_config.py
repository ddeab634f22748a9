"""Bluesky's options."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ingest.platforms.bluesky.config import BlueskyConfig


@pytest.mark.parametrize("host", ["jetstream.example", "ftp://a.example", "wss://", "wss://a.example/subscribe?x=1"])
def test_a_host_is_an_address_without_a_path(host: str) -> None:
    with pytest.raises(ValidationError):
        BlueskyConfig.model_validate({"hosts": [host]})


def test_there_is_a_host() -> None:
    with pytest.raises(ValidationError, match="name a Jetstream host"):
        BlueskyConfig.model_validate({"hosts": [], "v1_hosts": []})
    assert BlueskyConfig.model_validate({"hosts": [], "v1_hosts": ["http://127.0.0.1:80/"]}).hosts == ()
