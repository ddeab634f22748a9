"""Who says how much hangs on a story, and when he is asked again.

Owns the assessors that a worker may be set to use. The offline one is a pure function of a story's ledger, so that a
replay comes to the same impact; how texts are read is scoring's (:mod:`scoring.impact`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Protocol

import msgspec
import structlog

from scoring import Assessment, Assessor, Ledger
from scoring.impact import OfflineAssessor
from streams.records import encode
from streams.score.config import ScoreConfig
from streams.score.endpoint import Endpoint
from streams.score.endpoint_assessor import AnswerRecord, EndpointStoryAssessor, decode_answer
from transport.kafka import KafkaError
from transport.producer import open_producer
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["NoAssessor", "OfflineStoryAssessor", "StoryAssessor", "open_assessor"]

log = structlog.get_logger(__name__)


class StoryAssessor(Protocol):
    """Says what hangs on a story."""

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return what holds at ``at_ms``: the ledger's own assessment, if what it rests on is still so; None: nothing.

        ``story``: its id. Called at every tick at which the story is decided on, so the usual answer must be quick.
        """
        ...

    def answered(self) -> Collection[str]:
        """Return the stories that are to be asked about anew though nothing has happened in them."""
        ...


class NoAssessor:
    """Says nothing of any story: impacts are the middle of the scale, categories unknown."""

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return None."""
        del story, ledger, at_ms
        return None

    def answered(self) -> Collection[str]:
        """Return no story."""
        return ()


class OfflineStoryAssessor:
    """Assesses stories by their loudest titles, anew whenever those have changed."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return the assessment of the titles that are the loudest now; None: there are no words yet."""
        del story
        titles = [title for title in ledger.titles() if title]
        if not titles:
            return None
        basis = int.from_bytes(blake2b("\n".join(titles).encode(), digest_size=8).digest())
        held = ledger.assessment
        if held is not None and held.basis == basis:
            return held
        return msgspec.structs.replace(self._assessor.assess(titles, at_ms), basis=basis)

    def answered(self) -> Collection[str]:
        """Return no story: what it says changes only with the story."""
        return ()


@asynccontextmanager
async def open_assessor(
    config: ScoreConfig, *, kafka: Mapping[str, object], prefix: str, now_ms: Callable[[], int]
) -> AsyncIterator[StoryAssessor]:
    """Yield the assessor that is set. ``kafka``: aiokafka's connection options; ``now_ms``: what budgets go by.

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
        before = [decode_answer(record.value) for record in await tail.read_to_end() if record.value]
    async with open_producer(kafka) as producer:

        async def remember(answer: AnswerRecord) -> None:
            try:
                await producer.send_and_wait(topic, encode(answer), answer.story.encode(), 0)
            except KafkaError as error:
                # The story's own state will have it; only a replay into fresh topics will ask again.
                log.warning("an answer is not remembered", error=type(error).__name__)

        endpoint = Endpoint(config.openai)
        assessor = EndpointStoryAssessor(
            endpoint, config.openai, offline=offline, remember=remember, answered_before=before, now_ms=now_ms
        )
        try:
            async with asyncio.TaskGroup() as group:  # if asking fails in a way nobody thought of, the role ends
                asking = group.create_task(assessor.run())
                yield assessor
                asking.cancel()
        finally:
            await endpoint.close()
