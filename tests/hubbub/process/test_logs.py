"""What a role writes: lines for operators, no floods by libraries, and no secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from hubbub.process.health_server import HealthServer
from hubbub.process.logs import MAX_MESSAGES, REPEAT_SECONDS, RepeatFilter, configure

MALFORMED = (
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
)
PASSWORD = "pä$$word'\\x00"  # noqa: S105
Lines = Callable[[], list[dict[str, str]]]


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["debug", "info"])
def lines(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Lines]:
    """Return what was written, one mapping for each line, at the highest and at the usual level of detail."""
    root = logging.getLogger()
    level = root.level
    configure(level=request.param, style="json", role="score", secrets=[PASSWORD, "abc"], clock=clock)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_library_s_repeated_message_is_written_once_a_minute_with_a_count(lines: Lines, clock: Clock) -> None:
    library = logging.getLogger("aiokafka")
    for node in range(1_000):
        library.error("Unable connect to node with id %s: %s", node, "refused")
        library.error(f"Topic t{node} not found")
        clock.now = 100 + REPEAT_SECONDS * node / 1_000
    clock.now = 100 + REPEAT_SECONDS
    library.error("Unable connect to node with id %s: %s", 7, "refused")
    events = [line["event"] for line in lines()]
    assert events == [
        "Unable connect to node with id 0: refused",
        "Topic t0 not found",
        "Unable connect to node with id 7: refused (999 more like this since the last line)",
    ]


def test_different_messages_of_a_library_are_written(lines: Lines) -> None:
    for number in range(50):
        logging.getLogger("faust").error("problem " + "x" * number)
    assert len(lines()) == 50


def test_the_memory_of_messages_is_bounded(clock: Clock) -> None:
    repeats = RepeatFilter(clock)
    for number in range(3 * MAX_MESSAGES):
        assert repeats.filter(logging.makeLogRecord({"name": "faust", "msg": "problem " + "x" * number}))
        assert len(repeats._messages) <= MAX_MESSAGES


def test_our_own_lines_are_never_held_back(lines: Lines) -> None:
    for _ in range(5):
        structlog.get_logger("ingest.loop").warning("a collector cannot collect", collector="reddit")
    written = lines()
    assert [line["event"] for line in written] == ["a collector cannot collect"] * 5
    assert written[0]["role"] == "score"


def test_no_secret_is_written_by_any_library_at_any_level(lines: Lines) -> None:
    plain = b"\0user\0" + PASSWORD.encode()
    names = ["aiokafka.conn", "aiokafka", "faust.app", "asyncio", "kafka.conn", "mode", "anything"]
    for name in names:
        logger = logging.getLogger(name)
        logger.debug("Request to %s: %s", "host", plain)
        logger.error("login failed for %r", PASSWORD)
        logger.error("%s", {"sasl_plain_password": PASSWORD})
        logger.error("login failed", exc_info=ConnectionError(f"refused: {PASSWORD}"))
    structlog.get_logger("transport.x").error("settings", options={"password": PASSWORD}, raw=plain)
    written = json.dumps(lines(), ensure_ascii=False)
    assert "login failed for" in written
    for spelling in ("$$word", "xc3"):
        assert spelling not in written


def test_kafka_requests_are_never_written_since_they_hold_the_password(lines: Lines) -> None:
    logging.getLogger("aiokafka.conn").debug("Request: SaslAuthenticateRequest(sasl_auth_bytes=%r)", b"derived")
    assert lines() == []


def test_a_secret_of_three_characters_does_not_blank_out_the_lines(lines: Lines) -> None:
    structlog.get_logger("ingest.x").info("abcd")
    assert [line["event"] for line in lines()] == ["abcd"]


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=lambda value: value[:30].decode())
async def test_a_malformed_request_is_one_line_without_a_stack(request_bytes: bytes, lines: Lines) -> None:
    async with HealthServer(list, host="127.0.0.1", port=0) as server:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request_bytes)
            assert (await reader.read()).startswith(b"HTTP/1.")
            writer.close()
    (line,) = [line for line in lines() if line["level"] != "debug"]
    assert line["event"].startswith("malformed request from ")
    assert (line["level"], "exception" in line) == ("warning", False)


@pytest.mark.parametrize("terminal", [False, True])
def test_lines_for_people_have_colours_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, lines: Lines, *, terminal: bool
) -> None:
    """``hubbub up`` reads its children's lines through a pipe, and strips control characters: colours would be torn."""
    del lines  # restores the logging afterwards
    written = io.StringIO()
    monkeypatch.setattr(written, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", written)
    configure(level="info", style="console", role="score")
    structlog.get_logger("ingest.x").info("started")
    assert "started" in written.getvalue()
    assert ("\x1b" in written.getvalue()) is terminal


def test_what_untrusted_users_write_cannot_move_the_cursor(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    del lines  # restores the logging afterwards
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure(level="info", style="console", role="collect")
    try:
        raise ValueError("\x1b[2J")  # noqa: TRY301 (of the test)
    except ValueError:
        structlog.get_logger("ingest.x").exception("failed", source="\x1b]0;title\x07\u202e")
    logging.getLogger("ingest.x").warning("line\r\x1b[1A%s", "\x9b2J")
    assert not {"\x1b", "\x07", "\r", "\u202e", "\x9b"} & set(written.getvalue())
    assert "\n    raise ValueError" in written.getvalue()
