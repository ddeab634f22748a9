"""Signatures of the Standard Webhooks specification (https://github.com/standard-webhooks/standard-webhooks).

Owns what is signed and how a signature is checked. Pure: the time is an argument. Must never know HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TOLERANCE_MS", "Signature", "decode_secret"]

PREFIX: Final = "whsec_"
VERSION: Final = "v1"
TOLERANCE_MS: Final = 300_000
"""Largest difference between the sender's clock and ours: the specification's 5 minutes. It also bounds replays."""
MAX_ID_CHARS: Final = 256
MAX_SIGNATURES: Final = 8
"""Most signatures of one message. A sender that changes its secret sends two."""
HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


def decode_secret(text: str) -> bytes:
    """Return the key that ``whsec_…`` stands for.

    Raises:
        ValueError: it has another form, or the key is shorter than 24 or longer than 64 bytes.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError(f"must be {PREFIX} and 24 to 64 bytes in base64, as openssl rand -base64 32 prints")
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """The three headers of a signed request. ``id``: of the message; it stays when the message is sent again."""

    id: str
    timestamp: str
    signatures: tuple[str, ...]

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], now_ms: int) -> Signature:
        """Return what the headers say.

        Raises:
            ValueError: one is absent or has the wrong form, or the timestamp is too far from ``now_ms``.
        """
        if missing := [name for name in HEADERS if not headers.get(name)]:
            raise ValueError(f"the header {missing[0]} is missing")
        id_, timestamp, signatures = (headers[name] for name in HEADERS)
        if len(id_) > MAX_ID_CHARS or not id_.isascii():
            raise ValueError(f"webhook-id must be at most {MAX_ID_CHARS} ASCII characters")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise ValueError("webhook-timestamp must be seconds since 1970, such as 1700000000")
        if (away_ms := abs(int(timestamp) * 1000 - now_ms)) > TOLERANCE_MS:
            raise ValueError(
                f"webhook-timestamp is {away_ms // 1000} s away from this server's clock; at most "
                f"{TOLERANCE_MS // 1000} s are allowed: check the clocks, and sign again when sending again"
            )
        return cls(id_, timestamp, tuple(signatures.split(" ")[:MAX_SIGNATURES]))

    def is_of(self, body: bytes, key: bytes) -> bool:
        """Return whether one of the signatures was made with ``key`` over ``body``, the bytes that were sent."""
        signed = f"{self.id}.{self.timestamp}.".encode() + body
        expected = f"{VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}".encode()
        return any(hmac.compare_digest(expected, given.encode("utf-8", "replace")) for given in self.signatures)
