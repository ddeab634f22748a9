"""Real roles whose settings change while they run: by SIGHUP, and by a file that is written."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiokafka import AIOKafkaProducer

from hubbub.operate.doctor import examine
from hubbub.process.embedded_broker import EmbeddedBroker
from hubbub.process.local import role_children, running
from hubbub.process.supervisor import Supervisor
from hubbub.settings import KafkaSettings
from ingest.signal import Signal, encode
from tests.conftest import Broker
from tests.eventually import eventually
from tests.ingest.counting import now_ms
from tests.ingest.sites import HackerNewsSite, Site
from tests.system.pipeline.house import House, house
from transport.topics import name

LONG = 60.0
"""Seconds in which a role that runs beside other tests starts."""


def write(file: str, text: str, mode: int = 0o600) -> None:
    Path(file).write_text(text)
    Path(file).chmod(mode)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, as the roles do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@asynccontextmanager
async def collecting(broker: EmbeddedBroker, prefix: str) -> AsyncIterator[tuple[Supervisor, list[str], int]]:
    """Run ``collect`` with the settings of the folder; yield its lines and the port of its metrics too."""
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, topic_prefix=prefix, partitions=1)
    environment = {"HUBBUB_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "HUBBUB_KAFKA__TOPIC_PREFIX": prefix}
    (child,) = (child for child in role_children(environment, None) if child.name == "collect")
    lines: list[str] = []
    async with running(kafka, [child], lambda _, line: lines.append(line)) as supervisor:
        assert child.health_port is not None
        yield supervisor, lines, child.health_port


async def until_said(lines: list[str], event: str, **fields: str) -> None:
    """Wait for a line, and forget those up to it."""

    def found() -> int:
        for number, line in enumerate(lines, 1):
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("event") == event and all(part in said.get(key, "") for key, part in fields.items()):
                return number
        return 0

    number = await eventually(found, LONG)
    del lines[:number]


async def read(port: int, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{path}") as response:
        return await response.text()


def hackernews(site: HackerNewsSite, poll_seconds: float) -> str:
    return (
        f'[collect]\nnames = ["hackernews"]\n'
        f'[collect.hackernews]\nbase_url = "{site.url}"\nalgolia_url = "{site.url}"\npoll_seconds = {poll_seconds}\n'
    )


async def test_collect_goes_on_from_its_cursor_with_other_options(embedded_broker: EmbeddedBroker) -> None:
    async with HackerNewsSite() as site:
        site.story(1)
        write("hubbub.toml", hackernews(site, 0.1))
        async with collecting(embedded_broker, "reload-collect-") as (supervisor, lines, port):
            pid = supervisor.pid("collect")

            async def until_published(count: float) -> None:
                counted = 'hubbub_collect_signals_published_total{collector="hackernews"} '
                await eventually(
                    lambda: read(port, "metrics"),
                    LONG,
                    until=lambda text: counted in text and float(text.partition(counted)[2].split()[0]) >= count,
                )

            await until_published(1)
            write("hubbub.toml", hackernews(site, 0.1) + "poll_second = 3")
            supervisor.reload()
            await until_said(lines, "settings not reloaded; the old ones stay in use", problem="poll_second: Extra")
            write("hubbub.toml", hackernews(site, 0.2))
            await until_said(lines, "settings reloaded", changed="collect.hackernews")
            site.story(2)
            await until_published(2)
            write("hubbub.toml", hackernews(site, 0.2) + '[kafka]\ntopic_prefix = "other-"\n[resolve]\nbeats = ["ai"]')
            supervisor.reload()
            await until_said(lines, "settings reloaded", changed="resolve.beats")
            assert supervisor.pid("collect") == pid
            assert supervisor.restarts == 0


def post(number: int, title: str) -> Signal:
    made = {"id": f"x:{number}", "kind": "post", "platform": "x", "thread": f"x:{number}", "title": title}
    return Signal(**made, created_ms=now_ms(), observed_ms=now_ms())  # type: ignore[arg-type]


async def publish(house: House, *posts: Signal) -> None:
    producer = AIOKafkaProducer(**house.options)
    await producer.start()
    try:
        for one in posts:
            topic = name("signals", house.kafka.topic_prefix)
            await producer.send_and_wait(topic, encode(one), key=one.thread.encode(), timestamp_ms=one.observed_ms)
    finally:
        await producer.stop()


async def test_resolve_starts_again_in_place_with_other_beats(embedded_broker: EmbeddedBroker) -> None:
    write("beat.toml", 'name = "travel"\nkeywords = ["train"]')
    broker = Broker("embedded", embedded_broker.bootstrap_servers, "reload-resolve-")
    async with house(broker, roles=("resolve",), settings={"HUBBUB_RESOLVE__BEATS": '["beat.toml"]'}) as running_house:
        supervisor = running_house.supervisor
        pid = supervisor.pid("resolve")
        await publish(running_house, post(1, "The train to the north is late"), post(2, "A ferry has run aground"))

        async def threads() -> set[str]:
            index = await running_house.threads()
            return {f"x:{number}" for number in range(1, 5) if index.current_stories(f"x:{number}")}

        await eventually(threads, LONG, until=lambda found: found == {"x:1"})
        write("beat.toml", 'name = "travel"\nkeywords = ["ferry"]')
        lines = [line.removeprefix("resolve: ") for line in running_house.lines]
        await eventually(lambda: any('"changed": "resolve.beats"' in line for line in running_house.lines), LONG)
        await publish(running_house, post(3, "Trains run again in the south"), post(4, "The ferry is free again"))
        await eventually(threads, LONG, until=lambda found: found == {"x:1", "x:4"})
        await eventually(running_house.ready, LONG, until=lambda ready: ready == {"resolve"})
        assert supervisor.pid("resolve") == pid, lines
        assert supervisor.restarts == 0


class Echo(Site):
    """Refuses each request, and repeats it with all of its headers and its body."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        shown = f"{request.method} {request.url}\n{dict(request.headers)}\n{await request.text()}"
        status = (401, 400, 403, 500)[len(self.requests) % 4]
        return web.Response(text=shown, status=status, reason=re.sub(r"[^\w=/.&?-]", " ", shown)[:200])


def credentials(url: str, end: str) -> str:
    """Return settings with a secret for each platform that takes one; each ends with ``end``."""
    return f"""
[collect]
names = ["reddit", "x", "youtube", "stackexchange", "mastodon"]
[collect.reddit]
client_id = "id"
client_secret = "reddit-client-{end}"
username = "user"
password = "reddit-password-{end}"
reddit_url = "{url}"
oauth_url = "{url}"
retry_max_seconds = 2
[collect.x]
bearer_token = "x-bearer-token-{end}"
base_url = "{url}"
retry_max_seconds = 2
[collect.youtube]
api_key = "youtube-api-key-{end}"
api_url = "{url}"
feeds_url = "{url}"
retry_max_seconds = 2
[collect.stackexchange]
key = "stackexchange-key-{end}"
base_url = "{url}"
retry_max_seconds = 2
[collect.mastodon]
retry_max_seconds = 2
[collect.mastodon.instances."social.example"]
access_token = "mastodon-token-{end}"
url = "{url}"
"""


async def test_no_secret_appears_anywhere_even_if_a_platform_repeats_it(
    embedded_broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = "reload-secrets-"
    monkeypatch.setenv("HUBBUB_KAFKA__BOOTSTRAP_SERVERS", embedded_broker.bootstrap_servers)
    monkeypatch.setenv("HUBBUB_KAFKA__TOPIC_PREFIX", prefix)
    shown: list[str] = []
    async with Echo() as site:
        write("hubbub.toml", credentials(site.url, "old-secret"))
        async with collecting(embedded_broker, prefix) as (_, lines, port):
            every = ("reddit", "x", "youtube", "stackexchange", "mastodon")
            for end in ("old-secret", "new-secret"):
                asked = len(site.requests)
                await eventually(lambda: all(f'"collector": "{one}"' in "".join(lines) for one in every), LONG)
                await eventually(lambda asked=asked: len(site.requests) > asked + 5, LONG)  # type: ignore[misc]
                shown += [await read(port, "metrics"), await read(port, "readyz")]
                if end == "old-secret":
                    write("hubbub.toml", credentials(site.url, "new-secret"))
                    await eventually(lambda: any('"settings reloaded"' in line for line in lines), LONG)
                    shown += lines
                    lines.clear()
            shown += lines
        shown += [f"{finding.what} {finding.fix}" for finding in await examine()]
        sent = "".join(f"{request.url} {dict(request.headers)}" for request in site.requests)
        assert "old-secret" in sent
        assert "new-secret" in sent, "the new secrets were used"
    assert "cannot collect" in "".join(shown)
    assert not [text for text in shown if "old-secret" in text or "new-secret" in text]
