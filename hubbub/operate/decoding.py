"""Decoding records for an operator, who may meet one that another program wrote or that is damaged.

Owns the message for such a record. What to do about it is the caller's choice.
"""

from collections.abc import Callable
from typing import TypeVar

from transport.errors import UserError
from transport.kafka import ConsumerRecord

Decoded = TypeVar("Decoded")


class UnreadableRecordError(UserError):
    """A record is none of its topic's. The message names its place."""


def decoded(record: ConsumerRecord[bytes, bytes], decode: Callable[[bytes], Decoded]) -> Decoded | None:
    """Return ``record`` decoded; None for a tombstone.

    Raises:
        UnreadableRecordError: it cannot be decoded.
    """
    try:
        return None if record.value is None else decode(record.value)
    except (ValueError, RecursionError) as error:
        where = f"topic {record.topic}, partition {record.partition}, offset {record.offset}"
        raise UnreadableRecordError(f"{where}: the record cannot be read: {error}; see docs/runbook.md") from error
