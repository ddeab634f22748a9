"""The doctor and a webhook that runs already: it has the port, and that is no fault."""

from __future__ import annotations

import pytest

from hubbub.operate.doctor import examine
from tests.ingest.platforms.webhook.sending import TOKEN, webhook
from tests.ingest.sites import Site


async def finding() -> tuple[str, bool | None, str]:
    """Return what the doctor says of the webhook."""
    (found,) = [one for one in await examine(only=("webhook",)) if "ebhook" in one.what]
    return found.what, found.ok, found.fix


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("HUBBUB_COLLECT__WEBHOOK__TOKEN", TOKEN)


async def test_a_webhook_that_runs_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook() as running:
        monkeypatch.setenv("HUBBUB_COLLECT__WEBHOOK__PORT", str(running.collector.port))
        assert await finding() == ("Webhook is running and answers", True, "")


async def test_another_program_on_the_port_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Site() as site:
        monkeypatch.setenv("HUBBUB_COLLECT__WEBHOOK__PORT", site.url.rpartition(":")[2].strip("/"))
        what, ok, fix = await finding()
    assert (what, ok) == ("Webhook answers", False)
    assert "is taken" in fix


async def test_a_webhook_that_could_listen_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_COLLECT__WEBHOOK__PORT", "0")
    what, ok, _ = await finding()
    assert what.startswith("Webhook answers (")
    assert ok
