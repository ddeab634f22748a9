"""How the roles log: one structured line per event, JSON for machines, colours for people.

Normal operation is quiet; what is logged says what happened, and what to do where something must be done.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.types import EventDict, WrappedLogger

__all__ = ["configure"]

NOISY = ("aiokafka", "faust", "mode", "kafka", "aiohttp.access", "streams.score.consuming")
"""Libraries to which every reconnection is news, and what is derived from theirs; their errors are shown."""


def configure(*, level: str, style: str, role: str) -> None:
    """Set up logging for this process, to standard error.

    ``level``: debug, info, warning or error. ``style``: console, json, or auto (json unless on a terminal).
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if as_json else plain

    def name_role(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["role"] = role
        return event

    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_role,
        # Plain tracebacks: the prettier ones print local variables, and with them whatever secret is among these.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    if level != "debug":
        for library in NOISY:
            logging.getLogger(library).setLevel(logging.ERROR)
