"""Topics for tests, created as production creates its own: they can be used at once.

Owns the wait until the broker shows a topic: its controller knows a new one a little sooner.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from transport.admin import until_visible


async def create_topics(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    """Create ``topics``, and return when the broker shows all of them."""
    await admin.create_topics(list(topics))
    await until_visible(admin, {topic.name for topic in topics})
