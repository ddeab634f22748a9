"""Records that an operator skipped: the key that names one, in the log from which its reader restores its memory."""

from collections.abc import Collection

SKIPPED_KEY = b"skipped:"


def skipped_key(topic: str, partition: int, offset: int) -> bytes:
    """Return the key for a record of ``topic``, which is named without prefix."""
    return SKIPPED_KEY + f"{topic}:{partition}:{offset}".encode()


def skipped_offsets(keys: Collection[bytes], topic: str, partition: int) -> Collection[int]:
    """Return the offsets of the records of a partition that ``keys`` name."""
    place = skipped_key(topic, partition, 0)[:-1]
    return {int(key.removeprefix(place)) for key in keys if key.startswith(place)} if keys else ()
