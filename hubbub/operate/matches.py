"""Why posts are in their stories: what the matcher, or an operator, decided.

Owns the reading of these decisions from the topic ``stories``. Must never decide anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from hubbub.operate.decoding import readable
from streams.records.stories import MOVED_KEY, THREAD_KEY, decode_thread
from streams.resolve.matching.features import Features
from transport import topics
from transport.reader import TopicReader

_decode_features = msgspec.json.Decoder(Features | None).decode


class Match(msgspec.Struct, frozen=True):
    """Why a thread is in its story. ``because``: what it shares with that: words, the most telling first, or a link.

    ``by``: what decided, as in the metric ``hubbub_candidates_decided_total``, or ``operator``.
    """

    by: str
    because: tuple[str, ...] = ()


async def read_matches(
    threads: Collection[str], beat: str, kafka: Mapping[str, object], prefix: str
) -> dict[str, Match]:
    """Return why each of ``threads`` (ids of root posts) is in its story of ``beat``; the undecided are left out.

    Raises:
        TopicMissingError: there is no topic of stories.
        UnreadableRecordError: a record of the topic cannot be read.
        KafkaError: the broker cannot be reached.
    """
    decided = {THREAD_KEY + thread.encode(): thread for thread in threads}
    moved = {MOVED_KEY + thread.encode(): thread for thread in threads}
    found: dict[str, Match] = {}
    by_operator: set[str] = set()
    async with TopicReader(topics.name("stories", prefix), kafka) as reader:
        async for record in reader.until_end():
            key, value = record.key or b"", record.value
            if value is None:
                continue
            if key in moved:
                by_operator.add(moved[key])
            elif key in decided:
                with readable(record):
                    for assignment in decode_thread(value).assignments:
                        if assignment.beat == beat:
                            features = _decode_features(assignment.features)
                            found[decided[key]] = Match(assignment.stage, features.because if features else ())
    return found | dict.fromkeys(by_operator, Match("operator"))
