"""Records that an operator's command cannot read, by another program or damaged: the message that names the place."""

from collections.abc import Iterator
from contextlib import contextmanager

from transport.errors import UserError
from transport.kafka import ConsumerRecord


class UnreadableRecordError(UserError):
    """A record is none of its topic's. The message names its place."""


@contextmanager
def readable(record: ConsumerRecord[bytes, bytes]) -> Iterator[None]:
    """Raise :class:`UnreadableRecordError` if ``record`` cannot be decoded in the block."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        where = f"topic {record.topic}, partition {record.partition}, offset {record.offset}"
        raise UnreadableRecordError(f"{where}: the record cannot be read: {error}; see docs/runbook.md") from error
