"""Several collectors side by side: one that hangs, fails or gives up holds up no other."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from ingest.collect import collect
from ingest.collector import CollectorConfig
from ingest.health import Health, State
from ingest.loop import CollectorLoop, LoopOptions
from ingest.platforms.hackernews.config import HackerNewsConfig
from ingest.platforms.reddit.config import RedditConfig
from ingest.registry import PLATFORMS
from scoring import Settings
from tests.eventually import eventually
from tests.ingest.sites import Answer, HackerNewsSite, RedditSite, hang, status
from tests.ingest.topics import Place
from transport.errors import UserError

IMPATIENT = LoopOptions(retry_first_seconds=0.02, kafka_timeout_seconds=3.0)


def now_ms() -> int:
    """Return the wall clock's time: Kafka deletes what is stamped older than it keeps records."""
    return time.time_ns() // 1_000_000


def configs(reddit: RedditSite, hackernews: HackerNewsSite) -> dict[str, CollectorConfig]:
    return {
        "reddit": RedditConfig.model_validate(
            {
                "client_id": "id",
                "client_secret": "s",
                "reddit_url": reddit.url,
                "oauth_url": reddit.url,
                "submissions_poll_seconds": 0.05,
                "retry_max_seconds": 0.1,
            }
        ),
        "hackernews": HackerNewsConfig.model_validate(
            {"base_url": hackernews.url, "poll_seconds": 0.05, "retry_max_seconds": 0.1}
        ),
    }


def test_every_platform_says_what_it_needs_and_gives() -> None:
    for name, spec in PLATFORMS.items():
        assert spec.name == name
        assert spec.needs
        assert spec.gives
        assert issubclass(spec.config, CollectorConfig)
    assert {name for name, spec in PLATFORMS.items() if not spec.needs_account} >= {"hackernews", "reddit"}


@pytest.mark.parametrize("spec", PLATFORMS.values(), ids=lambda spec: spec.name)
def test_every_option_is_documented_and_carries_its_unit(spec: object) -> None:
    time, size = (
        ("_seconds", "_minute", "_minutes", "_hours", "_day", "_month", "_post", "_author", "_share"),
        ("_items", "_pages", "_bytes", "_files"),
    )
    for name, field in spec.config.model_fields.items():  # type: ignore[attr-defined]
        assert field.description, name
        is_number = not {"int", "float"}.isdisjoint(re.findall(r"\w+", str(field.annotation))) and name != "port"
        counts = re.search(r"(^|_)(requests|tries|posts|max)(_|$)", name)
        assert not is_number or name.endswith((*time, *size)) or counts, name


def test_scoring_takes_the_constants_of_every_platform_and_contradicts_none() -> None:
    scoring = Settings()
    scoring.add_platform("gab", 7.0, None)
    assert (scoring.loud_interactions["gab"], "gab" in scoring.views_per_like) == (7.0, False)
    assert "gab" not in Settings().loud_interactions
    for name, spec in PLATFORMS.items():
        scoring.add_platform(name, spec.loud_interactions, spec.views_per_like)
        if spec.loud_interactions is not None:
            with pytest.raises(ValueError, match=name):
                scoring.add_platform(name, 1.0, None)


async def test_a_wrong_name_fails_before_anything_starts() -> None:
    common = {"kafka": {}, "topics": "", "now_ms": now_ms, "stop": asyncio.Event()}
    with pytest.raises(KeyError, match="myspace"):
        await collect({"myspace": CollectorConfig()}, **common)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [hang, status(500), status(401)], ids=["hangs", "is ill", "refuses us"])
async def test_one_platform_in_trouble_holds_up_no_other(place: Place, answer: Answer) -> None:
    async with RedditSite() as reddit, HackerNewsSite() as hackernews:
        reddit.answer_for["/api/v1/access_token"] = answer
        hackernews.story(1)
        stop, health = asyncio.Event(), Health()
        collecting = asyncio.create_task(
            collect(
                configs(reddit, hackernews),
                kafka=place.kafka,
                topics=place.prefix,
                now_ms=now_ms,
                stop=stop,
                health=health,
                options=IMPATIENT,
            )
        )
        await eventually(lambda: reddit.requests and health.collectors[1].succeeded_at)
        for id_ in range(2, 6):
            hackernews.story(id_)
        await eventually(place.signals, until=lambda signals: len(signals) >= 5)
        sick, well = health.collectors
        assert (sick.name, sick.ready, well.name, well.ready) == ("reddit", False, "hackernews", True)
        (problem,) = health.problems
        assert problem.startswith("reddit: ")
        stop.set()
        await asyncio.wait_for(collecting, 10)  # the platform that hangs would take an hour
        assert {health.state for health in health.collectors} == {State.STOPPED}
    assert {found.id for found in await place.signals()} == {f"hackernews:{id_}" for id_ in range(1, 6)}


async def test_when_all_collectors_have_given_up_collecting_ends(place: Place) -> None:
    async with RedditSite() as reddit, HackerNewsSite() as hackernews:
        reddit.answer_for["/api/v1/access_token"] = status(401)
        with pytest.raises(UserError, match=r"^reddit: .*client_secret.*$"):
            await collect(
                {"reddit": configs(reddit, hackernews)["reddit"]},
                kafka=place.kafka,
                topics=place.prefix,
                now_ms=now_ms,
                stop=asyncio.Event(),
                options=IMPATIENT,
            )


async def test_a_collector_that_is_cancelled_from_within_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library may let a cancellation of its own escape: then the others must not go on as if nothing were missing."""

    async def run(loop: CollectorLoop) -> None:
        if loop._name == "reddit":
            raise asyncio.CancelledError
        await asyncio.Event().wait()

    monkeypatch.setattr(CollectorLoop, "run", run)
    common = {"kafka": {}, "topics": "", "now_ms": now_ms, "stop": asyncio.Event()}
    configs = {"hackernews": HackerNewsConfig(), "reddit": RedditConfig.model_validate({"client_id": "id"})}
    with pytest.raises(ExceptionGroup) as failure:
        await collect(configs, **common)  # type: ignore[arg-type]
    assert str(failure.value.exceptions[0]) == "collector reddit was cancelled from within"
