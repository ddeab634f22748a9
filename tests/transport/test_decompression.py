"""A batch that decompresses without end is replaced by an empty record; the records around it are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]  # only here
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]  # only here

from transport import private
from transport.decompression import MAX_BATCH_BYTES, TOO_LARGE_HEADER, bounded_zstd
from transport.kafka import ConsumerRecord, TopicPartition

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(offset: int, codec: str, *values: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(2, CODECS[codec], 0, -1, -1, -1, 2**31)
    for number, value in enumerate(values):
        builder.append(number, 1_000, None, value, [])
    return offset.to_bytes(8, "big") + bytes(builder.build())[8:]


def read(log: bytes) -> tuple[list[ConsumerRecord[bytes, bytes]], int]:
    """Return the records of one fetch, and the offset of the next."""
    records = fetcher.PartitionRecords(  # type: ignore[call-arg]  # our typings have only what transport uses
        TopicPartition("t", 0), MemoryRecords(log), None, 0, None, None, True, 0
    )
    return list(records), records.next_fetch_offset


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_batch_beyond_the_limit_becomes_an_empty_record(codec: str) -> None:
    assert fetcher.PartitionRecords is private._BoundedRecords
    log = b"".join(
        [
            batch(0, codec, b"a", b"b"),
            batch(2, codec, b"A" * (MAX_BATCH_BYTES + 1), b"lost"),
            batch(4, codec, b"B" * 20_000_000),
        ]
    )
    records, next_offset = read(log)
    assert [(one.offset, len(one.value or b"")) for one in records] == [(0, 1), (1, 1), (3, 0), (4, 20_000_000)]
    ((header, reason),) = records[2].headers
    assert (header, next_offset) == (TOO_LARGE_HEADER, 5)
    assert b"more than 67108864 bytes" in reason


@pytest.mark.parametrize("codec", CODECS)
def test_a_fetch_is_cut_once_the_limit_is_decompressed_and_loses_nothing(codec: str) -> None:
    log = b"".join(batch(number, codec, b"C" * 30_000_000) for number in range(4))
    records, next_offset = read(log)
    assert [one.offset for one in records] == [0, 1, 2]
    assert next_offset == 3


def test_consumers_in_two_threads_do_not_disturb_each_other() -> None:
    contents = [bytes([number]) * 400_000 for number in range(8)]
    payloads = [zstandard.ZstdCompressor(write_content_size=False).compress(content) for content in contents]

    def decompress(_: int) -> list[bytes]:
        return [bounded_zstd(payload) for payload in payloads]

    with ThreadPoolExecutor(4) as threads:
        assert all(result == contents for result in threads.map(decompress, range(40)))
