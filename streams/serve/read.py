"""The ranking for programs without a server: read the topic ``noise-scores`` to its end, or follow it.

Owns the read that the command line prints. Must never know how it is printed.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass

from streams.records.noise_score import NoiseScore, decode_score
from streams.records.strict import InvalidRecordError
from transport import topics
from transport.reader import TopicReader


@dataclass(frozen=True, slots=True)
class ScoreChanges:
    """The newest score of each story that changed, None for a story that is gone; and those of all ``live`` stories.

    ``caught_up``: the end that the topic had at the start of the read is reached.
    """

    scores: dict[str, NoiseScore | None]
    live: dict[str, NoiseScore]
    caught_up: bool


async def read_scores(kafka: Mapping[str, object], prefix: str) -> dict[str, NoiseScore]:
    """Return the score of every live story, by story id, as of the end of the topic now.

    ``kafka``: how to connect, in aiokafka's keyword arguments; ``prefix``: what Hubbub's topics start with. Records
    that are not a NoiseScore are left out.

    Raises:
        TopicMissingError: there is no such topic.
        KafkaError: the broker cannot be reached.
    """
    async with aclosing(follow_scores(kafka, prefix)) as batches:
        async for changes in batches:
            if changes.caught_up:
                break
    return changes.live


async def follow_scores(kafka: Mapping[str, object], prefix: str) -> AsyncGenerator[ScoreChanges, None]:
    """Yield the scores from the beginning of the topic, then changes, for ever; several times a second.

    A batch without scores is yielded too: it shows that the end is reached, and lets the caller stop. Use
    ``contextlib.aclosing``, which then closes the connection at once.

    Raises: as :func:`read_scores`; and TopicChangedError when the topic no longer holds what comes next.
    """
    async with TopicReader(topics.name("noise-scores", prefix), kafka) as reader:
        live: dict[str, NoiseScore] = {}
        while True:
            scores: dict[str, NoiseScore | None] = {}
            for record in await reader.poll():
                if record.value is None:
                    story = (record.key or b"").decode(errors="replace")
                    scores[story] = None
                    live.pop(story, None)
                    continue
                with suppress(InvalidRecordError):
                    score = decode_score(record.key, record.value)
                    scores[score.story] = live[score.story] = score
            yield ScoreChanges(scores, live, reader.caught_up)
