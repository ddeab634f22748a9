"""The last record of each key of a compacted topic.

Owns how such a topic is read to its end, and that a damaged record does not hide the others. Must never know what a
record means.
"""

from collections.abc import Callable
from typing import TypeVar

from hubbub.operate.decoding import UnreadableRecordError, readable
from hubbub.settings import Settings
from transport.reader import TopicReader
from transport.topics import name

Decoded = TypeVar("Decoded")


async def latest_records(
    topic: str, decode: Callable[[bytes], Decoded], settings: Settings, options: dict[str, object]
) -> tuple[list[Decoded], list[UnreadableRecordError]]:
    """Return the last record of each key, and an error for each that is damaged. ``options``: those of aiokafka.

    Raises:
        TopicMissingError: the topic does not exist.
    """
    async with TopicReader(name(topic, settings.kafka.topic_prefix), options) as reader:
        latest = {record.key: record async for record in reader.until_end()}
    found: list[Decoded] = []
    damaged: list[UnreadableRecordError] = []
    for record in latest.values():
        if record.value is None:
            continue
        try:
            with readable(record):
                found.append(decode(record.value))
        except UnreadableRecordError as error:
            damaged.append(error)
    return found, damaged
