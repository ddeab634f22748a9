"""A role's health server: the names it answers to, and an address that it cannot use."""

from __future__ import annotations

import aiohttp
import pytest

from hubbub.process.health_server import HealthServer
from transport.errors import UserError


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("localhost:9", 200), ("collect-1", 200), ("evil.example", 421), ("", 421)]
)
@pytest.mark.parametrize("path", ["metrics", "healthz", "readyz"])
async def test_it_answers_only_to_its_own_names(path: str, host: str, status: int) -> None:
    async with (
        HealthServer(list, host="127.0.0.1", port=0, allowed_hosts=["collect-1"]) as server,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}/{path}", headers={"Host": host}) as response,
    ):
        assert response.status == status
        assert ("metrics_allowed_hosts" in await response.text()) is (status == 421)


async def test_a_port_in_use_is_distinguished_from_an_address_that_is_not_ours() -> None:
    async with HealthServer(list, host="127.0.0.1", port=0) as first:
        with pytest.raises(UserError, match=rf"127\.0\.0\.1:{first.port}; another program.*HUBBUB_METRICS_PORT"):
            await HealthServer(list, host="127.0.0.1", port=first.port).__aenter__()
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(UserError, match=f"{host}:0; this machine has no such address: set HUBBUB_METRICS_HOST"):
            await HealthServer(list, host=host, port=0).__aenter__()
