"""The assessors that estimate the impact of a story, and when each estimates it again.

Owns which assessors a worker may use. The offline one is a pure function of a story's ledger, so a replay comes to the
same impact. Must never know how texts are read: that is scoring's (:mod:`scoring.impact`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Protocol

import msgspec
import structlog

from scoring import Assessment, Ledger
from scoring.impact import OfflineAssessor
from streams.records import encode
from streams.score.config import ScoreConfig
from streams.score.endpoint import Endpoint
from streams.score.endpoint_assessor import AnswerRecord, EndpointStoryAssessor, decode_answer
from transport.kafka import KafkaError
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

log = structlog.get_logger(__name__)


class StoryAssessor(Protocol):
    """Estimates the impact of stories."""

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:  # noqa: ARG002 - of others
        """Return the assessment at ``at_ms``: the ledger's own while its basis holds; None if there is none.

        ``story``: its id. Called at every tick at which the story is decided on, so the usual answer must be quick.
        """
        return None

    def answered(self) -> Collection[str]:
        """Return the stories to assess again although they have no new signals."""
        return ()


class NoAssessor(StoryAssessor):
    """Assesses no story: impacts are the middle of the scale, categories unknown."""


class OfflineStoryAssessor(StoryAssessor):
    """Assesses stories by their loudest titles, and again whenever those have changed."""

    def __init__(self, assessor: OfflineAssessor) -> None:
        self._assessor = assessor

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return the assessment of the titles that are the loudest now; None while there are no words."""
        del story
        titles = ledger.titles()
        if not titles:
            return None
        basis = int.from_bytes(blake2b("\n".join(titles).encode(), digest_size=8).digest())
        held = ledger.assessment
        if held is not None and held.basis == basis:
            return held
        return msgspec.structs.replace(self._assessor.assess(titles, at_ms), basis=basis)


@asynccontextmanager
async def open_assessor(
    config: ScoreConfig, *, kafka: Mapping[str, object], prefix: str, now_ms: Callable[[], int]
) -> AsyncIterator[StoryAssessor]:
    """Yield the assessor that ``config`` names. ``now_ms``: the clock of budgets.

    Raises:
        LookupError: there is no topic for its answers.
    """
    if config.assessor == "none":
        yield NoAssessor()
        return
    offline = OfflineStoryAssessor(OfflineAssessor())
    if config.assessor == "offline":
        yield offline
        return
    topic = name("assessments", prefix)
    async with TopicReader(topic, kafka) as tail:
        saved = [decode_answer(record.value) for record in await tail.read_to_end() if record.value]
    async with open_producer(kafka) as producer:

        async def save(answer: AnswerRecord) -> None:
            try:
                await producer.send_and_wait(topic, encode(answer), answer.story.encode(), 0)
            except KafkaError as error:
                # The story's own state has the answer; only a replay into new topics asks again.
                log.warning("assessor answer not saved in its topic", error=type(error).__name__)

        endpoint = Endpoint(config.openai)
        assessor = EndpointStoryAssessor(
            endpoint, config.openai, offline=offline, save=save, saved=saved, now_ms=now_ms
        )
        try:
            async with asyncio.TaskGroup() as group:  # an unexpected failure ends the role
                asking = group.create_task(assessor.run())
                yield assessor
                asking.cancel()
        finally:
            await endpoint.close()
