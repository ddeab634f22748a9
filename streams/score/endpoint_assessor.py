"""Stories assessed by a model behind an endpoint, off the path of the data.

Owns when a story is asked about, what that may cost, where answers are kept, and what holds until there is one: the
offline assessor. Must never know the wire of the endpoint (:mod:`streams.score.endpoint`).

A story is asked about when it is first seen, and again each time the number of its items has doubled: at most eight
times. An answer belongs to (story, doubling). It is kept in the story's state, so a restart does not ask again. It is
also kept in the topic ``assessments``, so that a replay into new topics finds it there. With that topic, a replay is
deterministic. Without it, the time at which an answer arrives is not, and so neither are the decisions that follow.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import NamedTuple

import msgspec
import structlog

from scoring import Assessment, Category, Ledger
from scoring.settings import DAY_MS, HOUR_MS
from streams.runtime import metrics
from streams.score.config import EndpointConfig
from streams.score.endpoint import Endpoint, EndpointError, Opinion

MAX_QUEUED = 200
"""Bounds the questions that wait. A story beyond that is left to the offline assessor until it is decided on again."""
MAX_ANSWERS = 100_000
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 600.0

log = structlog.get_logger(__name__)


class AnswerRecord(msgspec.Struct, frozen=True):
    """One answer, in the topic ``assessments``. ``doubling``: the bit length of the number of items it is based on."""

    story: str
    doubling: int
    impact: float
    category: Category
    model: str
    asked_ms: int


class _Question(NamedTuple):
    story: str
    doubling: int
    titles: tuple[str, ...]


class Budget:
    """A limit on requests in any hour and in any day.

    >>> budget = Budget(per_hour=2, per_day=3)
    >>> [budget.spend(at_ms) for at_ms in (0, 1, 2, HOUR_MS + 3, HOUR_MS + 4)]
    [True, True, False, True, False]
    """

    def __init__(self, per_hour: int, per_day: int) -> None:
        self._limits = ((HOUR_MS, per_hour), (DAY_MS, per_day))
        self._spent_ms: deque[int] = deque()

    def spend(self, at_ms: int) -> bool:
        """Count a request at ``at_ms`` (UTC epoch ms) if one is left; return whether there was."""
        if min(self.left(at_ms)) <= 0:
            return False
        self.note(at_ms)
        return True

    def note(self, at_ms: int) -> None:
        """Count a request that was made, in order of time."""
        self._spent_ms.append(at_ms)

    def left(self, at_ms: int) -> tuple[int, int]:
        """Return how many are left of the hour and of the day that end at ``at_ms``."""
        while self._spent_ms and self._spent_ms[0] <= at_ms - DAY_MS:
            self._spent_ms.popleft()
        hour, day = (
            limit - sum(1 for spent_ms in self._spent_ms if spent_ms > at_ms - span_ms)
            for span_ms, limit in self._limits
        )
        return hour, day


class EndpointStoryAssessor:
    """Assesses stories by the endpoint's answers where there are any, and offline elsewhere."""

    def __init__(
        self,
        endpoint: Endpoint,
        config: EndpointConfig,
        *,
        offline: Callable[[str, Ledger, int], Assessment | None],
        save: Callable[[AnswerRecord], Awaitable[None]],
        saved: Sequence[AnswerRecord] = (),
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``save``: keeps an answer for good. ``saved``: the answers kept, in the order they came."""
        self._endpoint = endpoint
        self._model = config.model
        self._offline = offline
        self._save = save
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._budget = Budget(config.requests_per_hour, config.requests_per_day)
        self._answers: OrderedDict[tuple[str, int], Opinion] = OrderedDict()
        self._asked: set[tuple[str, int]] = set()
        self._questions: asyncio.Queue[_Question] = asyncio.Queue(MAX_QUEUED)
        self._answered: set[str] = set()
        self._paused_until = 0.0
        self._failures = 0
        for answer in sorted(saved, key=lambda answer: answer.asked_ms):
            self._budget.note(answer.asked_ms)
            if answer.model == config.model:
                self._keep(answer)
        self._report_budget()

    def __call__(self, story: str, ledger: Ledger, at_ms: int) -> Assessment | None:
        """Return the answer for the story's size now, else its last answer, else the offline assessment."""
        titles = ledger.titles()
        doubling = len(ledger.items).bit_length()
        held = ledger.assessment
        is_answer = held is not None and 0 < held.basis <= doubling
        if held is not None and held.basis == doubling:
            return held
        opinion = self._answers.get((story, doubling))
        if opinion is not None:
            return Assessment(at_ms, opinion.impact, opinion.category, doubling)
        if titles:
            self._ask(_Question(story, doubling, titles))
        return held if is_answer else self._offline(story, ledger, at_ms)

    def answered(self) -> Collection[str]:
        """Return the stories with an answer that was not there at the last call."""
        stories, self._answered = self._answered, set()
        return stories

    async def run(self) -> None:
        """Ask one question after the other, until cancelled."""
        while True:
            question = await self._questions.get()
            try:
                await self._consult(question)
            finally:
                self._asked.discard((question.story, question.doubling))

    async def _consult(self, question: _Question) -> None:
        await asyncio.sleep(self._paused_until - self._monotonic())
        asked_ms = self._now_ms()
        if not self._budget.spend(asked_ms):
            metrics.ASSESSOR_FALLBACKS.labels("budget").inc()
            return
        self._report_budget()
        try:
            opinion = await self._endpoint.ask(question.titles)
        except EndpointError as error:
            self._pause(error)
            return
        self._failures = 0
        metrics.ASSESSOR_REQUESTS.labels("answered").inc()
        story, doubling, _ = question
        answer = AnswerRecord(story, doubling, opinion.impact, opinion.category, self._model, asked_ms)
        await self._save(answer)
        self._keep(answer)
        self._answered.add(story)

    def _ask(self, question: _Question) -> None:
        key = question.story, question.doubling
        if key in self._asked:
            return
        if self._monotonic() < self._paused_until:
            metrics.ASSESSOR_FALLBACKS.labels("pause").inc()
        elif min(self._budget.left(self._now_ms())) <= 0:
            metrics.ASSESSOR_FALLBACKS.labels("budget").inc()
        elif self._questions.full():
            metrics.ASSESSOR_FALLBACKS.labels("queue").inc()
        else:
            self._asked.add(key)
            self._questions.put_nowait(question)

    def _pause(self, error: EndpointError) -> None:
        """Ask nothing for a while, longer after each failure in a row."""
        metrics.ASSESSOR_REQUESTS.labels(error.failure).inc()
        metrics.ASSESSOR_FALLBACKS.labels("failure").inc()
        seconds = max(error.wait_seconds, FIRST_PAUSE_SECONDS * 2.0**self._failures)
        self._failures = min(self._failures + 1, 20)
        self._paused_until = self._monotonic() + min(seconds, LONGEST_PAUSE_SECONDS)
        log.warning("assessor gave no answer; the offline one holds", failure=error.failure, detail=str(error))

    def _keep(self, answer: AnswerRecord) -> None:
        self._answers[answer.story, answer.doubling] = Opinion(answer.impact, answer.category)
        if len(self._answers) > MAX_ANSWERS:
            self._answers.popitem(last=False)

    def _report_budget(self) -> None:
        for window, left in zip(("hour", "day"), self._budget.left(self._now_ms()), strict=True):
            metrics.ASSESSOR_BUDGET.labels(window).set(left)


decode_answer: Callable[[bytes], AnswerRecord] = msgspec.json.Decoder(AnswerRecord).decode
