"""Codec: a value as bytes, after one byte that tells the version.

Owns the version byte and the error for bytes that cannot be read. Must never know what is encoded.

A stored form is a ``msgspec`` struct with ``array_like=True``: the order of its fields is the format, their names are
not. New fields go to the end, with a default, so that what an earlier version wrote can still be read.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

VERSION = 1
_PREFIX = bytes((VERSION,))


class CorruptLedgerError(ValueError):
    """These bytes are not a valid encoding: our own data is damaged, or a later version wrote it."""


class Codec(Generic[T]):
    """Encodes values of one type, ``stored``, as MessagePack. ``name`` is for error messages: "a ledger"."""

    __slots__ = ("_decoder", "_encoder", "_name")

    def __init__(self, stored: type[T], name: str) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(stored)
        self._name = name

    def encode(self, stored: T) -> bytes:
        """Return the encoding of ``stored``."""
        return _PREFIX + self._encoder.encode(stored)

    def decode(self, encoded: bytes) -> T:
        """Return the value that was encoded, by this version or an earlier one.

        Raises:
            CorruptLedgerError: ``encoded`` is of an unknown version or damaged.
        """
        if encoded[:1] != _PREFIX:
            found = encoded[:1].hex() or "none"
            raise CorruptLedgerError(f"{self._name} of version {found} cannot be read; this program reads {VERSION}")
        try:
            return self._decoder.decode(memoryview(encoded)[1:])
        except msgspec.DecodeError as error:
            raise CorruptLedgerError(f"{self._name} cannot be decoded: {error}") from error
