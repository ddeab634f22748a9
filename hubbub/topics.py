"""Making the topics."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.topics import TOPICS, name


async def create(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> None:
    """Make what is missing."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        known = set(await admin.list_topics())
        new = [
            NewTopic(name(t.name, prefix), t.partitions or partitions, replication, topic_configs=t.config())
            for t in TOPICS
            if name(t.name, prefix) not in known
        ]
        log = f"{prefix}hubbub-score-ledgers-changelog"
        if log not in known:
            new.append(NewTopic(log, partitions, replication, topic_configs={"cleanup.policy": "compact"}))
        if new:
            await admin.create_topics(new)
    finally:
        await admin.close()


async def check(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> list[str]:
    """Verify."""
    return []
