"""What a worker of ``resolve`` remembers: the decisions, the publishers, and how far each source has come.

Owns reading it from the topics ``stories`` and ``progress`` at the start, and keeping it up to date. Must never write.
"""

from collections.abc import Callable
from typing import NoReturn

from streams.records.progress import PublishProgress, ResolveProgress, decode_progress
from streams.records.skipped import skipped_offsets
from streams.records.stories import ThreadRecord, Withdrawn
from streams.resolve.publishers import Publishers
from streams.resolve.reported_progress import ReportedProgress
from streams.resolve.threads import ThreadIndex
from streams.runtime import metrics
from transport.kafka import ConsumerRecord
from transport.offsets import located
from transport.reader import TopicReader

STAGE = "resolve"


class Memory:
    """The thread index, the publishers and the reported progress. ``on_decided`` is called with each decided thread."""

    def __init__(self, stories: TopicReader, progress: TopicReader, monotonic: Callable[[], float]) -> None:
        self.threads = ThreadIndex()
        self.publishers = Publishers()
        self.reported = ReportedProgress()
        self.on_decided: Callable[[str], None] = lambda _: None
        self._stories = stories
        self._progress = progress
        self._monotonic = monotonic

    async def load(self) -> None:
        """Read both topics from their beginning to their end."""
        for record in await self._stories.read_to_end():
            self._note_story(record)
        for record in await self._progress.read_to_end():
            self._note_progress(record)

    async def caught_up(self) -> None:
        """Wait until everything is known that was in the topics when this was called."""
        for reader in (self._stories, self._progress):
            await reader.wait_until_read()

    def note_decision(self, decision: ThreadRecord | Withdrawn) -> None:
        """Take in a decision that this worker made and the broker acknowledged."""
        self.threads.note_decision(decision)
        self.on_decided(decision.thread)

    async def follow_stories(self) -> NoReturn:
        """Take in what is added to ``stories``."""
        while True:
            for record in await self._stories.poll():
                decision = self._note_story(record)
                if decision is not None:
                    self.on_decided(decision.thread)
            metrics.STORIES_LIVE.labels(STAGE).set(self.threads.live_stories())

    async def follow_progress(self) -> NoReturn:
        """Take in what is added to ``progress``."""
        while True:
            for record in await self._progress.poll():
                self._note_progress(record)

    def _note_story(self, record: ConsumerRecord[bytes, bytes]) -> ThreadRecord | Withdrawn | None:
        with located(record):
            return self.threads.apply(record.key or b"", record.value)

    def _note_progress(self, record: ConsumerRecord[bytes, bytes]) -> None:
        if record.value is None or record.offset in skipped_offsets(self.threads.skipped, "progress", 0):
            return
        with located(record):
            progress = decode_progress(record.value)
        if isinstance(progress, PublishProgress):
            self.publishers.note(progress, self._monotonic())
        elif isinstance(progress, ResolveProgress):
            self.reported.note(progress)
