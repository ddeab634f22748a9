"""The input of a score worker in production: a Faust app that consumes ``story-activity``.

Owns what Faust is used for (membership, the stream and its back-pressure) and three corrections of it. It resumes at
the processor's offsets instead of the group's: the group's say what was acknowledged, not what became of it. The
group's confirmations renew the worker's lease. And it joins the group at once: Faust waits a second for tables, and
there are none. Must never know what a record says.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import cast

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.score.assigned_partition import InputRecord
from streams.score.config import ScoreConfig
from streams.score.processor import Processor
from transport.consumer import HEARTBEATS
from transport.fencing import Lease


class FaustInput:
    """A member of the worker's consumer group; see :class:`streams.score.worker.Input`."""

    def __init__(self, processor: Processor, kafka: Mapping[str, object], config: ScoreConfig) -> None:
        """``kafka``: connection options of aiokafka."""
        self._processor = processor
        self._config = config
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._app = _make_app(processor.group, kafka, config)
        topic = self._app.topic(
            processor.topic, key_type=bytes, value_type=bytes, value_serializer="raw", internal=False
        )
        self._app.agent(topic, concurrency=1, name="score")(self._agent)
        self._app.on_partitions_revoked.connect(self._on_revoked)
        self._app.on_partitions_assigned.connect(self._on_assigned)
        self._app.on_rebalance_complete.connect(self._on_rebalanced)
        self._app.finalize()
        self._app.transport.Consumer = _consumer_class(processor, processor.lease)

    async def run(self) -> None:
        """Work until cancelled. Raises whatever the processor raises."""
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({working, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
        if self._failed.done():
            self._failed.result()
        if self._app.crash_reason is not None:
            raise self._app.crash_reason
        working.result()

    async def stop(self) -> None:
        """Leave the group; acknowledged records are committed."""
        await self._app.stop()

    async def _work(self) -> None:
        await self._app.start()  # returns when the first partitions are taken over, which may fail
        await self._app.wait_until_stopped()

    async def _agent(self, stream: faust.Stream) -> None:
        async for events in stream.noack_take(self._config.batch_records, within=self._config.flush_seconds):
            records = []
            for event in events:
                message = event.message
                records.append(
                    InputRecord(message.partition, message.offset, message.generation_id, event.value, event.ack)
                )
                event.value = message.value = b""  # Faust keeps the event until it is acknowledged
            await self._guard(self._processor.process(records, self._end_offset))

    def _end_offset(self, partition: int) -> int | None:
        return cast(int | None, self._app.consumer.highwater(TP(self._processor.topic, partition)))

    async def _on_assigned(self, *_: object, **__: object) -> None:
        self._processor.assign(self._app.consumer_generation_id)

    async def _on_revoked(self, *_: object, **__: object) -> None:
        await self._processor.revoke()

    async def _on_rebalanced(self, *_: object, **__: object) -> None:
        partitions = sorted(place.partition for place in self._app.consumer.assignment())
        await self._guard(self._processor.take_over(partitions))

    async def _guard(self, processing: Awaitable[None]) -> None:
        """Await ``processing``. If it fails, never return to Faust, which would restart the agent and go on."""
        try:
            await processing
        except Exception as failure:  # noqa: BLE001 (raised by run)
            if not self._failed.done():
                self._failed.set_exception(failure)
            await asyncio.Event().wait()


class _App(faust.App):  # type: ignore[misc]  # Faust has no types
    def _create_directories(self) -> None:
        """Create none: there are no tables, and the working directory may not be writable."""


class _NoTables(TableManager):  # type: ignore[misc]
    async def on_start(self) -> None:
        """Begin without waiting for tables."""
        await self._update_channels()
        await self.recovery.start()


def _make_app(group: str, kafka: Mapping[str, object], config: ScoreConfig) -> faust.App:
    seconds = config.session_seconds
    servers = cast(str, kafka["bootstrap_servers"])
    return _App(
        group,
        broker=[f"kafka://{server.strip()}" for server in servers.split(",")],
        broker_credentials=_credentials(kafka),
        store="memory://",
        TableManager=_NoTables,
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=0.5,
        broker_session_timeout=seconds,
        broker_heartbeat_interval=seconds / HEARTBEATS,
        broker_rebalance_timeout=seconds,
        broker_max_poll_records=config.batch_records,
        stream_buffer_maxsize=4 * config.batch_records,
        stream_wait_empty=False,
        loghandlers=[],
    )


def _consumer_class(processor: Processor, lease: Lease) -> type[driver.Consumer]:
    class Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
        async def on_start(self) -> None:
            await super().on_start()
            lease.renew_by(self._consumer)

    class Consumer(driver.Consumer):  # type: ignore[misc]
        def _new_consumer_thread(self) -> Thread:
            return Thread(self, loop=self.loop, beacon=self.beacon)

        async def perform_seek(self) -> None:
            offsets = {TP(processor.topic, number): offset for number, offset in processor.next_offsets().items()}
            await self.seek_wait(offsets)
            self._committed_offset.update(offsets)  # acknowledgements count from here

    return Consumer


def _credentials(kafka: Mapping[str, object]) -> SASLCredentials | SSLCredentials | None:
    """Return the credentials in aiokafka's options as Faust takes them."""
    protocol = kafka.get("security_protocol", "PLAINTEXT")
    context = kafka.get("ssl_context")
    if protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return SASLCredentials(
            username=kafka.get("sasl_plain_username"),
            password=kafka.get("sasl_plain_password"),
            ssl_context=context,
            mechanism=kafka.get("sasl_mechanism", "PLAIN"),
        )
    return SSLCredentials(context) if protocol == "SSL" else None
