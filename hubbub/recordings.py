"""Recordings: files of signals as they were observed (NDJSON; plain, ``.gz``, ``.zst``).

Owns their formats, and the order of signals from several of them. Must never know what the signals are read for.
"""

import gzip
import heapq
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

import zstandard

from ingest.signal import InvalidSignalError, Signal, decode
from transport.errors import UserError

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Bounds memory for a file without line ends; the longest signal is much shorter."""


def read_recordings(
    files: Sequence[Path], on_invalid: Callable[[Path, int, InvalidSignalError], None], latest_ms: int | None = None
) -> Iterator[tuple[Signal, bytes]]:
    """Yield the signals of ``files`` with their bytes, merged by the time they were observed.

    Each file must be in order; a single one comes as it is. ``on_invalid`` gets each line that is not a signal: the
    file, the line number from 1, and the error. ``latest_ms``: a signal observed later is not one; see :func:`decode`.

    Raises:
        UserError: a file cannot be read.
    """

    def signals(order: int, file: Path, stream: BinaryIO) -> Iterator[tuple[int, int, int, Signal, bytes]]:
        for number, line in _lines(file, stream):
            raw = line.strip()
            if not raw:
                continue
            try:
                signal = decode(raw, latest_ms)
            except InvalidSignalError as error:
                on_invalid(file, number, error)
                continue
            yield signal.observed_ms, order, number, signal, raw

    with ExitStack() as stack:
        streams = [signals(order, file, stack.enter_context(_open(file))) for order, file in enumerate(files)]
        for _, _, _, signal, raw in heapq.merge(*streams, key=lambda item: item[:3]):
            yield signal, raw


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file (plain, ``.gz`` or ``.zst``) with their numbers from 1.

    Raises:
        UserError: the file cannot be read.
    """
    with _open(file) as stream:
        yield from _lines(file, stream)


def _lines(file: Path, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    try:
        for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES + 1), b""), 1):
            if len(line) > MAX_LINE_BYTES:
                raise UserError(f"{file}, line {number} is longer than {MAX_LINE_BYTES:,} bytes; is it text?")
            yield number, line
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise UserError(f"{file} cannot be read to its end: {error}; is it complete?") from None


def _open(file: Path) -> BinaryIO:
    try:
        if file.suffix == ".gz":
            return io.BufferedReader(gzip.open(file, "rb"))
        if file.suffix == ".zst":
            return io.BufferedReader(zstandard.open(file, "rb"))
        return file.open("rb")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror or error}") from None
