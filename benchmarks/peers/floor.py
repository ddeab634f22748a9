"""The floor: reads and decodes the signals, and nothing else. No participant in Python can be faster.

Run with BENCH_SERVERS, BENCH_SIGNALS and BENCH_OUTPUT set; writes one record to BENCH_OUTPUT at the beginning and one
at the end.
"""

from __future__ import annotations

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ingest.signal import decode


async def main() -> None:
    """Read the whole topic once."""
    servers, topic = os.environ["BENCH_SERVERS"], os.environ["BENCH_SIGNALS"]
    async with (
        AIOKafkaProducer(bootstrap_servers=servers) as producer,
        AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer,
    ):
        left = sum((await consumer.end_offsets(consumer.assignment())).values())
        for decoded in (0, left):
            while left > 0 and decoded:
                for records in (await consumer.getmany(timeout_ms=1_000, max_records=5_000)).values():
                    for record in records:
                        decode(record.value or b"")
                    left -= len(records)
            await producer.send_and_wait(os.environ["BENCH_OUTPUT"], json.dumps({"decoded": decoded}).encode())


if __name__ == "__main__":
    asyncio.run(main())
