"""``hubbub collectors --health`` over a real broker: a collector ran, and its reports and its budget are shown."""

from __future__ import annotations

import asyncio
import json

from hubbub.clock import wall_clock
from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker
from ingest.collect import collect
from ingest.health import Health
from ingest.platforms.stackexchange.config import StackExchangeConfig
from tests.eventually import eventually
from tests.hubbub.cli.conftest import Run, hubbub
from tests.ingest.platforms.stackexchange.stackexchange_site import StackExchangeSite, question

__all__ = ["hubbub"]

PREFIX = "health-"


async def collect_once(servers: str) -> None:
    """Run a collector with a daily quota, until its first questions are published and its cursor is saved."""
    kafka, stop, health = {"bootstrap_servers": servers}, asyncio.Event(), Health()
    await topic_setup.create(kafka, PREFIX, 1, 1)
    async with StackExchangeSite() as site:
        site.questions["ai"] = [question(1), question(2)]
        config = StackExchangeConfig(base_url=site.url, sites={"ai": ()}, watch_hours=1e6, requests_per_minute=6000)  # type: ignore[arg-type]
        running = asyncio.create_task(
            collect({"stackexchange": config}, kafka=kafka, topics=PREFIX, now_ms=wall_clock, stop=stop, health=health)
        )
        await eventually(lambda: health.collectors and health.collectors[0].succeeded_at is not None and site.polls())
        stop.set()
        await running


def test_what_is_spent_of_a_budget_is_shown_beside_its_collector(hubbub: Run, embedded_broker: EmbeddedBroker) -> None:
    servers = embedded_broker.bootstrap_servers
    asyncio.run(collect_once(servers))
    settings = {
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": PREFIX,
        "HUBBUB_COLLECT__STACKEXCHANGE__REQUESTS_PER_DAY": "50",
    }
    rows = [json.loads(line) for line in hubbub("collectors", "--health", "--json", **settings).stdout.splitlines()]
    whole = next(row for row in rows if row["collector"] == "stackexchange" and not row["source"])
    ((option, limit, spent),) = [(one["option"], one["limit"], one["spent"]) for one in whole["budget"]]
    assert (option, limit) == ("requests_per_day", 50)
    assert 0 < spent <= 50
    assert [row["budget"] for row in rows if row["source"]] == [None] * (len(rows) - 1)

    shown = " ".join(hubbub("collectors", "--health", COLUMNS="200", **settings).stdout.split())
    assert f"{spent:g} of 50 requests_per_day" in shown
