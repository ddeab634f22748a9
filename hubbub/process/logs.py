"""Logging of a role: one structured line per event, JSON for machines, colours for people.

Owns the format, the levels, and what never reaches a log: secrets, and the same message of a library many times a
minute. Normal operation is quiet. A line names the event, then what to do.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

import stamina.instrumentation
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from hubbub.redaction import Redaction
from transport.printable import printable

if TYPE_CHECKING:
    from structlog.types import EventDict, WrappedLogger

QUIET_LIBRARIES: Final = ("aiokafka", "faust", "mode", "kafka", "aiohttp.access", "streams.score.faust_input")
"""Loggers that report every reconnection, and one of ours derived from theirs: below debug only errors are shown."""
NEVER_DEBUG: Final = ("aiokafka.conn",)
"""At debug this logger writes the bytes of every request, the Kafka password among them."""
STACKS: Final = frozenset({"exception", "stack"})
"""Values of several lines."""
OURS: Final = frozenset({"hubbub", "ingest", "scoring", "streams", "transport"})
REPEAT_SECONDS: Final = 60.0
MAX_MESSAGES: Final = 1_000
"""Different messages remembered. One more clears the memory, and each may then be written once again."""


class RepeatFilter(logging.Filter):
    """Lets each message of a library pass once a minute, with the number of times it was held back.

    Without it, one minute without a broker is 75 000 lines. Two messages are the same if they differ only in numbers
    or in the arguments of one template. Our own lines always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds, from any start."""
        super().__init__()
        self._clock = clock
        self._messages: dict[tuple[str, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write ``record``; add the count to its message."""
        if record.name.partition(".")[0] in OURS and record.name not in QUIET_LIBRARIES:
            return True
        if record.exc_info and isinstance(record.exc_info[1], (HttpProcessingError, RequestPayloadError)):
            # Anyone can send such a request. It is no fault of ours, so it has no stack.
            record.msg, record.args = "malformed request from %s", record.args or ("a client",)
            record.exc_info, record.levelname = None, "WARNING"
        key = record.name, re.sub(r"\d+", "#", str(record.msg))
        now = self._clock()
        shown = self._messages.get(key, [float("-inf"), 0])  # libraries log from threads, too
        shown_at, held_back = shown
        if now - shown_at < REPEAT_SECONDS:
            shown[1] += 1
            return False
        if len(self._messages) >= MAX_MESSAGES:
            self._messages.clear()
        self._messages[key] = [now, 0]
        if held_back:
            record.msg = f"{record.getMessage()} ({held_back:.0f} more like this since the last line)"
            record.args = None
        return True


def configure(
    *, level: str, style: str, role: str, secrets: Collection[str] = (), clock: Callable[[], float] = time.monotonic
) -> None:
    """Set up logging for this process, to standard error; again, when the settings change.

    ``level``: debug, info, warning or error. ``style``: console, json, or auto (json unless on a terminal).
    ``secrets``: replaced by ``***`` in every line, also in those of libraries.
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer = structlog.processors.JSONRenderer() if as_json else console
    redacted = Redaction(secrets)

    def name_role(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["role"] = role
        return event

    def hide(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            text = value if isinstance(value, str) else repr(value)
            if (shown := redacted(text)) != text:
                event[key] = shown
        return event

    def escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = printable(value, keep="\n\t" if key in STACKS else "")
        return event

    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_role,
        # Plain tracebacks: the prettier ones print local variables, and with them any secret among these.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    terminal = () if as_json else (escape,)  # JSON escapes by itself
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RepeatFilter(clock))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, hide, *terminal, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR if level != "debug" else logging.NOTSET)
    for library in NEVER_DEBUG:
        logging.getLogger(library).setLevel(logging.INFO if level == "debug" else logging.NOTSET)
    # The code that retries writes its own line; stamina would add one for each try.
    stamina.instrumentation.set_on_retry_hooks([])
