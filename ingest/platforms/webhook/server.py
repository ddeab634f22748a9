"""The HTTP server of the webhook: ``POST /v1/signals`` and ``GET /healthz``.

Owns the routes, the order of the checks, and the answers. A sender gets a 2xx only after the broker has acknowledged
all of its signals. Must never know Kafka, nor what a signal means.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from ingest import metrics
from ingest.batch import Signals
from ingest.platforms.webhook.body import is_single, read_body, unpack
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.convert import PLATFORM
from ingest.platforms.webhook.deliveries import Deliveries
from ingest.platforms.webhook.lines import Lines, is_mostly_unreadable, read_lines
from ingest.platforms.webhook.refusal import RefusedRequestError
from ingest.platforms.webhook.senders import Senders
from transport.errors import RetryLaterError, UserError

__all__ = ["PATH", "WebhookServer"]

PATH: Final = "/v1/signals"
RETRY_SECONDS: Final = 5
"""When a sender may send again what the broker could not take in time."""
MAX_REPORTED: Final = 1_000
"""Most refused lines that an answer describes; the others are counted in ``more_refused``."""
KEEPALIVE_SECONDS: Final = 75.0
SHUTDOWN_SECONDS: Final = 2.0
LINGERING_SECONDS: Final = 2.0
"""How long the rest of a refused body is read and dropped, so that the sender sees the answer."""

log = structlog.get_logger(__name__, collector=PLATFORM)


class WebhookServer:
    """Serves from ``start`` to ``close``. ``may_write``: whether senders may write a platform."""

    def __init__(
        self,
        config: WebhookConfig,
        senders: Senders,
        deliveries: Deliveries,
        may_write: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._senders = senders
        self._deliveries = deliveries
        self._may_write = may_write
        self._now_ms = now_ms
        self._reading = 0
        self._runner: web.AppRunner | None = None

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._runner is None:
            raise RuntimeError("the webhook does not listen yet")
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen.

        Raises:
            RetryLaterError: another program has the port now.
            UserError: this machine cannot listen there.
        """
        application = web.Application(middlewares=[_answer_errors])
        application.add_routes([web.post(PATH, self._signals), web.get("/healthz", self._healthz)])
        runner = web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            auto_decompress=False,
        )
        host, port = self._config.host, self._config.port
        try:
            await runner.setup()
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise RetryLaterError(
                    f"port {port} of {host} is taken, perhaps by another collector: stop it, or set port in "
                    "[collect.webhook]"
                ) from None
            raise UserError(
                f"the webhook cannot listen on {host}:{port} ({error.strerror or error}): set host and port in "
                "[collect.webhook]"
            ) from None
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        log.info("webhook listens", url=f"http://{host}:{self.port}{PATH}")

    async def close(self) -> None:
        """Answer all requests that wait, and stop listening."""
        self._deliveries.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _json(200, {"status": "ok", "waiting_lines": self._deliveries.waiting_items})

    async def _signals(self, request: web.Request) -> web.Response:
        """Take the signals of one request. The cheap checks come first: they need no body."""
        signature = self._senders.check_headers(request.headers)
        single = is_single(request)
        sender = f"{'token' if signature is None else 'signed'} {request.remote}"
        if signature is None:
            self._senders.check_rate(sender)
        with ExitStack() as reading:
            reading.enter_context(self._place_to_read())
            body = await read_body(
                request, max_bytes=self._config.body_max_bytes, timeout_seconds=self._config.request_timeout_seconds
            )
            if signature is not None:
                self._senders.check_signature(signature, body)
                self._senders.check_rate(sender)
                if self._senders.was_taken(signature):
                    return _json(200, {"accepted": 0, "refused": [], "replayed": True})
            with self._senders.taking(signature) as message:
                lines = await self._lines(request, body, single=single)
                del body
                reading.close()  # what waits for the broker is bounded by the queue
                mostly_unreadable = is_mostly_unreadable(len(lines.signals.unreadable), lines.signals.read)
                if not mostly_unreadable:
                    await self._publish(lines.signals)
                    message.taken = bool(lines.signals.signals)
                return _report(lines, nothing_taken=mostly_unreadable)

    @contextmanager
    def _place_to_read(self) -> Iterator[None]:
        """Bound the bodies that are in memory at the same time."""
        if self._reading >= self._config.max_concurrent_requests:
            raise _busy("too many requests at the same time")
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1

    async def _lines(self, request: web.Request, body: bytes, *, single: bool) -> Lines:
        encoding = request.headers.get("Content-Encoding", "")
        return await read_lines(
            await unpack(body, encoding, max_bytes=self._config.body_max_bytes),
            single=single,
            max_lines=self._config.request_max_items,
            witnessed_ms=self._now_ms(),
            may_write=self._may_write,
        )

    async def _publish(self, signals: Signals) -> None:
        """Return when the broker has all of them.

        Raises:
            RefusedRequestError: 503: it has not; they may be sent again.
        """
        delivery = self._deliveries.add(signals)
        if delivery is None:
            raise _busy("too many lines wait for the broker")
        try:
            async with asyncio.timeout(self._config.publish_timeout_seconds):
                published = await delivery.published
        except TimeoutError:
            raise _busy("the broker did not acknowledge in time") from None
        finally:
            self._deliveries.drop(delivery)
        if not published:
            raise _busy("the webhook is stopping")


def _report(lines: Lines, *, nothing_taken: bool) -> web.Response:
    """Return what became of each line."""
    accepted = 0 if nothing_taken else len(lines.signals.signals)
    report: dict[str, object] = {"accepted": accepted, "refused": lines.refused[:MAX_REPORTED]}
    if len(lines.refused) > MAX_REPORTED:
        report["more_refused"] = len(lines.refused) - MAX_REPORTED
    if accepted:
        return _json(200, report)
    message = "most lines are no signals, so nothing was taken" if nothing_taken else "no line is a signal"
    return _json(422, {"error": {"code": "no_signals", "message": f"{message}; refused says why"}} | report)


def _busy(why: str) -> RefusedRequestError:
    return RefusedRequestError(503, "busy", f"{why}; nothing is lost if you send the request again", RETRY_SECONDS)


def _json(status: int, value: object, headers: dict[str, str] | None = None) -> web.Response:
    metrics.WEBHOOK_ANSWERS.labels(str(status)).inc()
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json", headers=headers
    )


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return _json(status, {"error": {"code": code, "message": message}}, headers)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in the one form that the contract has."""
    try:
        return await handler(request)
    except RefusedRequestError as error:
        headers = {}
        if error.retry_after_seconds is not None:
            headers["Retry-After"] = str(error.retry_after_seconds)
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return _error(error.status, error.code, str(error), headers)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _error(error.status, "no_such_route", f"{error.reason}: send signals with POST {PATH}", allow)
