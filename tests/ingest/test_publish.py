"""What publishing refuses before it asks a broker."""

from __future__ import annotations

import pytest

from ingest.batch import Batch, Signals
from ingest.publish import MAX_CURSOR_BYTES, Publisher
from transport.errors import UserError
from transport.topics import TOPICS


async def test_a_cursor_that_no_broker_takes_is_for_the_operator_and_not_tried_again() -> None:
    publisher = Publisher(collector="mastodon", kafka={}, topics="", now_ms=lambda: 0, timeout_seconds=1)
    cursor = b'"' + b"x" * MAX_CURSOR_BYTES + b'"'
    with pytest.raises(UserError, match=r"the cursor of mastodon has \d+ bytes.*\[collect\.mastodon\]"):
        await publisher.publish(Batch(Signals(), cursor))


def test_the_topic_takes_the_largest_cursor() -> None:
    (cursors,) = (topic for topic in TOPICS if topic.name == "cursors")
    assert cursors.batch_bytes > MAX_CURSOR_BYTES
