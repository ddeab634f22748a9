"""The topics: their names, keys, partitions, retention and compaction, in one place.

Owns the purpose of each topic and how it must be set up. Must never know who connects, nor with what credentials.
"""

from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
USUAL_BATCH_BYTES = 1_048_588
"""Kafka's default limit on a batch of records: 1 MiB and the batch's header."""
LARGE_BATCH_BYTES = 2_200_000
"""Bounds a batch with a record that carries a whole signal and its envelope, a signal in base64, or a full memory."""

SEGMENT_BYTES = 64 * 1024 * 1024
"""Bounds the active segment, which is never compacted and so read whole at every start. Kafka's default is 1 GiB."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One of Hubbub's topics, and how the broker must keep it.

    ``partitions``: a fixed number, or None for the deployment's choice (``kafka.partitions``). All topics with None
    have the same number. ``retention_ms``: None for a compacted topic, which keeps the last record of each key.
    ``batch_bytes``: the largest batch of records that the broker accepts.
    """

    name: str
    key: str
    purpose: str
    partitions: int | None = None
    retention_ms: int | None = None
    batch_bytes: int = USUAL_BATCH_BYTES

    def config(self, replication: int = 1) -> dict[str, str]:
        """Return the broker's settings for this topic with ``replication`` replicas, under Kafka's names."""
        settings = {
            "max.message.bytes": str(self.batch_bytes),
            # One replica may be away without stopping the work. An acknowledged record is on all others.
            "min.insync.replicas": str(max(1, replication - 1)),
        }
        if self.retention_ms is not None:
            return {**settings, "cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        # Small segments, compacted early: a reader of such a topic starts at its beginning every time.
        return {
            **settings,
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.1",
            "segment.ms": str(HOUR_MS),
            "segment.bytes": str(SEGMENT_BYTES),
        }


TOPICS: tuple[Topic, ...] = (
    Topic("signals", "thread", "items that the collectors observed", retention_ms=7 * DAY_MS),
    Topic("candidates", "beat", "new posts that may create or join a story", 1, DAY_MS, batch_bytes=LARGE_BATCH_BYTES),
    Topic("stories", "thread or story", "which thread belongs to which story; resolve's memory", 1),
    Topic(
        "story-activity",
        "none; a story in the partition of its id",
        "signals gathered by story",
        retention_ms=DAY_MS,
        batch_bytes=LARGE_BATCH_BYTES,
    ),
    Topic("hubbub-score-ledgers-changelog", "story", "the state of each story; score's memory"),
    Topic("assessments", "story", "answers of the assessing endpoint, so that none is asked twice", 1, 90 * DAY_MS),
    Topic("noise-scores", "story", "the score of each story"),
    Topic("noise-events", "story", "what happens to stories: new, changed, merged, resolved", retention_ms=30 * DAY_MS),
    Topic("dead-letters", "stage", "records that could not be used", 1, 30 * DAY_MS, batch_bytes=LARGE_BATCH_BYTES),
    Topic(
        "cursors",
        "collector",
        "how far each collector has read; the collectors' memory",
        1,
        batch_bytes=LARGE_BATCH_BYTES,
    ),
    Topic("collector-reports", "collector", "what each collector says of itself, and what is usual for its sources", 1),
    Topic("progress", "stage and partition", "how far each stage has come, and its counts", 1),
)
"""Every topic."""

MEMORY = frozenset({"stories", "hubbub-score-ledgers-changelog", "progress"})
"""Where roles remember what came of the records they read. An empty one in its place would make what follows wrong."""


def name(topic: str, prefix: str = "") -> str:
    """Return the name of ``topic`` on a broker where the names of Hubbub's topics start with ``prefix``."""
    return f"{prefix}{topic}"
