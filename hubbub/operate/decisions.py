"""What was decided about threads, read from the topic ``stories``.

Owns the reading. Must never decide anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from hubbub.operate.decoding import readable
from streams.records.stories import MOVED_KEY, THREAD_KEY, Moved, ThreadRecord, decode_stories
from transport import topics
from transport.reader import TopicReader


class Decisions(NamedTuple):
    """The last decisions, by thread: ``matched`` by the matchers, and ``moved`` by operators."""

    matched: dict[str, ThreadRecord]
    moved: dict[str, Moved]


async def read_decisions(threads: Collection[str], kafka: Mapping[str, object], prefix: str) -> Decisions:
    """Return what was decided about ``threads`` (ids of root posts); one without a decision is left out.

    Raises:
        TopicMissingError: there is no topic of stories.
        UnreadableRecordError: a record of the topic cannot be read.
        KafkaError: the broker cannot be reached.
    """
    wanted = {key + thread.encode() for thread in threads for key in (THREAD_KEY, MOVED_KEY)}
    found = Decisions({}, {})
    async with TopicReader(topics.name("stories", prefix), kafka) as reader:
        for record in await reader.read_to_end() if wanted else ():
            if record.key in wanted and record.value is not None:
                with readable(record):
                    match decode_stories(record.key, record.value):
                        case ThreadRecord() as decision:
                            found.matched[decision.thread] = decision
                        case Moved() as decision:
                            found.moved[decision.thread] = decision
    return found
