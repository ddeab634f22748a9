"""Collectors that change while they run: who is stopped, who is not, and that no cursor is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest import metrics
from ingest.collect import Collectors
from ingest.collector import CollectorConfig
from ingest.health import Health, State
from ingest.platforms.hackernews.config import HackerNewsConfig
from ingest.platforms.reddit.config import RedditConfig
from ingest.relevance import EVERYTHING, Relevance
from tests.eventually import eventually
from tests.ingest.counting import IMPATIENT, Maker, counting_spec, cursor_in, now_ms, numbers_in
from tests.ingest.sites import HackerNewsSite, RedditSite, status
from tests.ingest.topics import Place
from transport.errors import UserError


def hackernews(site: HackerNewsSite, **options: object) -> HackerNewsConfig:
    fast = {"base_url": site.url, "poll_seconds": 0.05, "retry_max_seconds": 0.1}
    return HackerNewsConfig.model_validate(fast | options)


def reddit(site: RedditSite, client_id: str = "id") -> RedditConfig:
    options = {"client_id": client_id, "client_secret": "s", "reddit_url": site.url, "oauth_url": site.url}
    return RedditConfig.model_validate({**options, "submissions_poll_seconds": 0.05, "retry_max_seconds": 0.1})


@asynccontextmanager
async def collecting(
    place: Place, configs: dict[str, CollectorConfig], relevance: Relevance = EVERYTHING
) -> AsyncIterator[tuple[Collectors, Health]]:
    stop, health = asyncio.Event(), Health()
    collectors = Collectors(
        configs,
        kafka=place.kafka,
        topics=place.prefix,
        now_ms=now_ms,
        health=health,
        options=IMPATIENT,
        relevance=relevance,
    )
    running = asyncio.create_task(collectors.run(stop))
    try:
        yield collectors, health
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)


async def test_a_collector_with_other_options_goes_on_from_its_cursor_and_no_other_is_disturbed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, other = Maker(), Maker()
    specs = {"count": counting_spec(changed), "other": counting_spec(other, "other")}
    monkeypatch.setattr("ingest.collect.PLATFORMS", specs)
    configs = {"count": CollectorConfig(), "other": CollectorConfig()}
    async with collecting(place, configs) as (collectors, _):
        for round_ in range(1, 4):
            await eventually(lambda: changed.last.next > 30 if changed.made else False)
            options = CollectorConfig(retry_max_seconds=round_)
            assert collectors.change({**configs, "count": options}, EVERYTHING) == ["count"]
            await eventually(lambda made=round_ + 1: len(changed.made) == made)  # type: ignore[misc]
        assert collectors.change({**configs, "count": options}, EVERYTHING) == []
        await eventually(lambda: changed.last.next > changed.made[-2].next)
    assert len(changed.made) == 4
    assert len(other.made) == 1, "not disturbed"
    assert all(one.closed for one in changed.made)
    cursor = await cursor_in(place)
    numbers = await numbers_in(place)
    assert set(numbers) == set(range(max(cursor, max(numbers) + 1))), "nothing is lost"


async def test_changes_in_quick_succession_end_in_the_last_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    monkeypatch.setattr("ingest.collect.PLATFORMS", {"count": counting_spec(maker)})
    async with collecting(place, {"count": CollectorConfig()}) as (collectors, health):
        for number in range(1, 20):
            collectors.change({"count": CollectorConfig(retry_max_seconds=number)} if number % 3 else {}, EVERYTHING)
        await eventually(lambda: maker.reached(50)() and health.collectors[0].ready)
        assert collectors.change({"count": CollectorConfig(retry_max_seconds=19)}, EVERYTHING) == []
    assert len(maker.made) <= 2


async def test_a_collector_comes_and_goes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = {"count": counting_spec(Maker()), "other": counting_spec(Maker(), "other")}
    monkeypatch.setattr("ingest.collect.PLATFORMS", specs)
    both = {name: CollectorConfig() for name in ("other", "count")}
    one = {"other": CollectorConfig()}
    async with collecting(place, one) as (collectors, health):

        async def until_ready(*names: str) -> None:
            await eventually(lambda: [one.name for one in health.collectors if one.ready] == list(names))
            await eventually(lambda: len(health.collectors) == len(names))

        assert collectors.change(both, EVERYTHING) == ["count"]
        await until_ready("other", "count")
        assert ("count",) in metrics.READY._metrics
        assert collectors.change(one, EVERYTHING) == ["count"]
        await until_ready("other")
        assert ("count",) not in metrics.READY._metrics
        assert collectors.change({}, EVERYTHING) == ["other"]
        await until_ready()
        assert collectors.change(both, EVERYTHING) == ["other", "count"]
        await until_ready("other", "count")


async def test_a_collector_that_gave_up_tries_again_with_the_next_settings(place: Place) -> None:
    async with HackerNewsSite() as site, RedditSite() as other:
        other.answer_for["/api/v1/access_token"] = status(401)
        site.story(1)
        configs = {"hackernews": hackernews(site), "reddit": reddit(other)}
        async with collecting(place, configs) as (collectors, health):
            sick = await eventually(lambda: next((c for c in health.collectors if c.state is State.STOPPED), None))
            assert sick is not None
            assert sick.name == "reddit"
            del other.answer_for["/api/v1/access_token"]
            new = {**configs, "reddit": reddit(other, "the-right-id")}
            await eventually(lambda: collectors.change(new, EVERYTHING) == ["reddit"] or health.collectors[1].ready)
            await eventually(lambda: all(one.ready for one in health.collectors))


async def test_when_the_last_collector_that_works_goes_and_the_rest_have_given_up_collecting_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [UserError("refused")] * 50
    specs = {"count": counting_spec(Maker()), "other": counting_spec(Maker(refused, refused), "other")}
    monkeypatch.setattr("ingest.collect.PLATFORMS", specs)
    configs = {"count": CollectorConfig(retry_max_seconds=0.1), "other": CollectorConfig(retry_max_seconds=0.1)}
    stop, health = asyncio.Event(), Health()
    collectors = Collectors(
        configs, kafka=place.kafka, topics=place.prefix, now_ms=now_ms, health=health, options=IMPATIENT
    )
    running = asyncio.create_task(collectors.run(stop))
    await eventually(lambda: any(one.state is State.STOPPED for one in health.collectors))
    assert sorted(collectors.change({"other": configs["other"]}, EVERYTHING)) == ["count", "other"]
    with pytest.raises(UserError, match=r"^other: refused"):
        await asyncio.wait_for(running, 60)


async def test_the_relevance_is_replaced_in_place_and_never_for_others() -> None:
    common = {"kafka": {}, "topics": "", "now_ms": now_ms}
    first, second = (Collectors({}, **common) for _ in range(2))  # type: ignore[arg-type]
    nothing = Relevance(lambda _: False, ("someone.example",))
    kept = first._relevance
    assert first.change({}, nothing) == []
    assert first._relevance is kept
    assert (kept.everything, kept.accounts) == (False, ("someone.example",))
    assert second._relevance.everything
    assert EVERYTHING.everything


async def test_a_wrong_name_changes_nothing() -> None:
    collectors = Collectors({}, kafka={}, topics="", now_ms=now_ms)
    with pytest.raises(KeyError, match="myspace"):
        collectors.change({"myspace": CollectorConfig()}, Relevance(lambda _: False))
    assert collectors._relevance.everything


async def test_a_collector_whose_file_has_changed_starts_again_with_the_same_options(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker()
    monkeypatch.setattr("ingest.collect.PLATFORMS", {"count": counting_spec(maker)})
    same = {"count": CollectorConfig()}
    async with collecting(place, same) as (collectors, _):
        await eventually(lambda: maker.made)
        assert collectors.change(same, EVERYTHING, again=["count"]) == ["count"]
        await eventually(lambda: len(maker.made) == 2)
