"""Bounded decompression: a record batch that expands without end must not take a process down.

Owns the limits and the decoders; :mod:`transport.private` makes aiokafka use them. LZ4 and Snappy expand a batch at
most 255-fold and 21-fold, so the broker's limit on a batch bounds them. Must never know what records mean.
"""

import threading
import zlib

import zstandard

from transport.errors import NeverRetryError

MAX_BATCH_BYTES = 64 * 1024 * 1024
"""Bounds a decompressed batch, and what is decompressed of one fetch. Hubbub's own batches have at most 2 MiB."""
TOO_LARGE_HEADER = "hubbub-batch-too-large"
"""The header of an empty record that stands for a batch that is too large; its value gives the reason."""

CHUNK_BYTES = 131_072
"""Decompressed at a time where a frame does not state its size, as those of streaming encoders do not."""


class _PerThread(threading.local):
    """A decompressor is not safe to share, and Faust's consumer has a thread of its own."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor()


_per_thread = _PerThread()


class BatchTooLargeError(NeverRetryError):
    """The batch expands beyond the limit."""

    def __init__(self) -> None:
        super().__init__(f"its batch decompresses to more than {MAX_BATCH_BYTES} bytes")


def bounded_gzip(payload: bytes | memoryview) -> bytes:
    """Decompress ``payload``, one gzip member.

    Raises:
        BatchTooLargeError: the result would exceed ``MAX_BATCH_BYTES``.
    """
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = decoder.decompress(payload, MAX_BATCH_BYTES)
    if decoder.unconsumed_tail and not decoder.eof:
        raise BatchTooLargeError
    return content


def bounded_zstd(payload: bytes) -> bytes:
    """Decompress ``payload``, one zstd frame.

    Raises:
        BatchTooLargeError: the result would exceed ``MAX_BATCH_BYTES``.
    """
    size = zstandard.frame_content_size(payload)
    if 0 <= size <= MAX_BATCH_BYTES:
        return _per_thread.zstd.decompress(payload)
    reader, content = _per_thread.zstd.stream_reader(payload), bytearray()
    while chunk := reader.read(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_BATCH_BYTES:
            raise BatchTooLargeError
    return bytes(content)
