"""docs/how-to/send-your-own-signals.md works: its commands, run as they stand against a webhook, get its answers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hubbub.clock import wall_clock
from ingest.collector import CollectorContext
from ingest.memory.rate_limit import RateLimiter
from ingest.platforms.webhook import SPEC
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.signature import TOLERANCE_MS
from ingest.registry import PLATFORMS
from ingest.signal import Signal

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "send-your-own-signals.md").read_text()
SECRETS = {
    "token": "a-token-of-the-how-to-guide",
    "signing_secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}
DEFAULT_PORT = WebhookConfig.model_fields["port"].default


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@asynccontextmanager
async def webhook(taken: list[Signal]) -> AsyncIterator[int]:
    """Run a webhook as the registry makes it; yield its port."""
    config = WebhookConfig.model_validate({"port": 0, **SECRETS})
    collector = SPEC.make(config, None, CollectorContext(RateLimiter("webhook", 60), wall_clock))

    async def collect() -> None:
        async for batch in collector:
            taken.extend(batch.signals.signals)

    await anext(collector)
    loop = asyncio.create_task(collect())
    try:
        yield collector.port  # type: ignore[attr-defined]
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        await collector.aclose()


async def run(port: int, folder: Path, *command: str) -> str:
    """Run a command; return what it prints."""
    secrets = {f"HUBBUB_COLLECT__WEBHOOK__{name.upper()}": secret for name, secret in SECRETS.items()}
    process = await asyncio.create_subprocess_exec(
        *(word.replace(str(DEFAULT_PORT), str(port)) for word in command),
        cwd=folder,
        env=os.environ | secrets,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().strip()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_commands_get_the_answers_that_are_shown(tmp_path: Path) -> None:
    (tmp_path / "signals.ndjson").write_text(blocks('json title="signals.ndjson"')[0])
    taken: list[Signal] = []
    async with webhook(taken) as port:
        for command, answer in zip(blocks("bash"), blocks("json"), strict=True):
            assert await run(port, tmp_path, "bash", "-c", command) == answer.strip()
    assert [found.id for found in taken] == ["forum:1042", "forum:1043", "forum:1044"]


async def test_the_signed_message_is_taken(tmp_path: Path) -> None:
    (code,) = blocks('python title="sign.py"')
    taken: list[Signal] = []
    async with webhook(taken) as port:
        assert await run(port, tmp_path, sys.executable, "-c", code) == '{"accepted":1,"refused":[]}'
    assert [found.id for found in taken] == ["forum:1045"]


def test_every_figure_is_the_one_in_the_code() -> None:
    config = WebhookConfig.model_validate(SECRETS)
    text = " ".join(PAGE.split())
    for said in (
        f"listens on `{config.host}:{config.port}`",
        f"at most {config.request_max_items // 1000} 000 lines and {config.body_max_bytes // 2**20} MiB",
        f"more than {config.requests_per_minute:g} requests in a minute",
        f"by {TOLERANCE_MS // 60_000} minutes",
        f"in the last {2 * TOLERANCE_MS // 60_000} minutes",
    ):
        assert said in text
    assert {"reddit", "x"} <= PLATFORMS.keys()
