"""Senders: which requests come from one that may send, and how often one may.

Owns the check of tokens and signatures, the rate of each sender, and which signed messages were taken already. Must
never know what a message says.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache, TTLCache

from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.refusal import RefusedRequestError
from ingest.platforms.webhook.signature import TOLERANCE_MS, Signature, decode_secret

__all__ = ["Senders"]

MAX_SENDERS: Final = 10_000
"""Most senders whose rate is remembered, some 2 MB. The one that was silent longest is dropped."""
MAX_TAKEN: Final = 100_000
"""Most signed messages that are remembered, some 30 MB."""
REMEMBERED_SECONDS: Final = 2 * TOLERANCE_MS / 1000
"""A signed message is accepted from 5 minutes before its timestamp to 5 minutes after; later it is refused anyway."""
WINDOW_SECONDS: Final = 60.0


@dataclass(slots=True)
class Message:
    """A message that is being taken. ``taken``: the broker has acknowledged it."""

    taken: bool = False


class Senders:
    """Recognises senders by token or signature. ``clock``: real seconds; ``now_ms``: the time of signatures."""

    def __init__(self, config: WebhookConfig, clock: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._token = None if config.token is None else config.token.get_secret_value().encode()
        secret = config.signing_secret
        self._key = None if secret is None else decode_secret(secret.get_secret_value())
        self._interval_seconds = WINDOW_SECONDS / config.requests_per_minute
        self._clock = clock
        self._now_ms = now_ms
        self._empty_at: LRUCache[str, float] = LRUCache(MAX_SENDERS)
        self._taken: TTLCache[str, bool] = TTLCache(MAX_TAKEN, REMEMBERED_SECONDS, timer=clock)
        self._being_taken: set[str] = set()

    def check_headers(self, headers: Mapping[str, str]) -> Signature | None:
        """Return the signature that the body must have; None if a token says who sends.

        Raises:
            RefusedRequestError: 401, with what to send instead.
        """
        if self._key is not None and ("webhook-signature" in headers or self._token is None):
            try:
                return Signature.from_headers(headers, self._now_ms())
            except ValueError as error:
                raise self._unauthorised(str(error)) from None
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "replace")
        if self._token is None or scheme.lower() != "bearer" or not hmac.compare_digest(given, self._token):
            raise self._unauthorised("the token is missing or wrong")
        return None

    def check_signature(self, signature: Signature, body: bytes) -> None:
        """Raise RefusedRequestError, 401, unless ``signature`` is that of ``body``, as it was sent."""
        if self._key is None or not signature.is_of(body, self._key):
            raise self._unauthorised("no signature is right: sign webhook-id.webhook-timestamp.body as it is sent")

    def check_rate(self, sender: str) -> None:
        """Count one request of ``sender``; raise RefusedRequestError, 429, if that is too many in a minute."""
        now = self._clock()
        empty_at = max(self._empty_at.get(sender, now), now) + self._interval_seconds
        wait_seconds = empty_at - max(WINDOW_SECONDS, self._interval_seconds) - now
        if wait_seconds > 0:
            raise RefusedRequestError(
                429,
                "rate_limited",
                "too many requests in a minute: send more lines in each request, or raise requests_per_minute",
                math.ceil(wait_seconds),
            )
        self._empty_at[sender] = empty_at

    def was_taken(self, signature: Signature) -> bool:
        """Return whether the message was published already: then it is a replay.

        Raises:
            RefusedRequestError: 503: another request with the same message waits for the broker.
        """
        if signature.id in self._being_taken:
            raise RefusedRequestError(503, "busy", "this webhook-id is just being published; send it again", 1)
        return signature.id in self._taken

    @contextmanager
    def taking(self, signature: Signature | None) -> Iterator[Message]:
        """Hold back other requests with the same message for the block. One that was not taken may be sent again."""
        message = Message()
        if signature is not None:
            self._being_taken.add(signature.id)
        try:
            yield message
        finally:
            if signature is not None:
                self._being_taken.discard(signature.id)
                if message.taken:
                    self._taken[signature.id] = True

    def _unauthorised(self, why: str) -> RefusedRequestError:
        ways = [
            *(["Authorization: Bearer TOKEN, with the token of [collect.webhook]"] if self._token else []),
            *(["the headers of Standard Webhooks, made with its signing_secret"] if self._key else []),
        ]
        return RefusedRequestError(401, "unauthorised", f"{why}. Send {' or '.join(ways)}")
