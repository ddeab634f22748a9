"""The names the server answers to, and the origins that may connect."""

from __future__ import annotations

import pytest

from streams.runtime.http_server import is_allowed_host
from streams.serve.security import is_same_origin


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8470", "localhost", "LOCALHOST:1", "[::1]:8470", "10.1.2.3:80", "noise.example", "noise.example:443"],
)
def test_addresses_localhost_and_named_hosts_are_allowed(host: str) -> None:
    assert is_allowed_host(host, ("noise.example",))


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8470",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "noise.example.evil.example",
        "xnoise.example",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "localhost/",
        "localhost; script-src *",
        "[::1",
        "127.0.0.1:99999:1",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    assert not is_allowed_host(host, ("noise.example",))


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://127.0.0.1:8470", True),
        ("https://127.0.0.1:8470", True),  # behind a proxy that ends TLS
        ("http://127.0.0.1:8471", False),
        ("http://localhost:8470", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("chrome-extension://127.0.0.1:8470", False),
    ],
)
def test_only_our_own_pages_may_connect(origin: str, same: bool) -> None:
    assert is_same_origin(origin, "127.0.0.1:8470") is same
