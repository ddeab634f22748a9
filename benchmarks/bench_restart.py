"""How long Hubbub needs to score again after ``kill -9``, when it holds many stories.

    python -m benchmarks.bench_restart [stories]

Both roles are killed and started at once, while a new reply to an existing story waits. The time runs from the start of
the processes to the new score of that story in the broker's log. It includes the time until the group drops the dead
members.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.feed import make_topics, now_ms, publish
from benchmarks.job import WATCHED_SITES
from benchmarks.participants import PARTICIPANTS, Run
from benchmarks.processes import Processes
from deploy.kafka.cluster import Cluster
from ingest.signal import Author, Community, Counts, Signal

STORIES = 100_000
PARTITIONS = 4
QUIET_SECONDS = 10.0


def posts_and_replies(stories: int) -> Iterator[Signal]:
    """Yield ``stories`` posts with as many links, and a reply to each."""
    began_ms = now_ms() - 60_000
    sites = sorted(WATCHED_SITES)
    for number in range(stories):
        at_ms = began_ms + number * 60_000 // stories
        post = f"reddit:{number}"
        url = f"https://{sites[number % len(sites)]}/{number}"
        yield _signal(post, post, at_ms, url=url)
        yield _signal(f"{post}.0", post, at_ms, text="What they say about it is good, and I think that it will be.")


def _signal(id_: str, thread: str, at_ms: int, *, url: str | None = None, text: str | None = None) -> Signal:
    return Signal(
        id=id_,
        kind="post" if id_ == thread else "reply",
        platform="reddit",
        thread=thread,
        author=Author("author"),
        community=Community("place", 100_000),
        url=url,
        text=text,
        counts=Counts(likes=10, replies=1),
        created_ms=at_ms,
        observed_ms=at_ms,
    )


async def emitted(run: Run) -> int:
    """Return the number of scores."""
    topic = f"{run.prefix}noise-scores"
    async with AIOKafkaConsumer(bootstrap_servers=run.servers) as consumer:
        return sum(
            (await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])).values()
        )


async def main(stories: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch, Cluster(Path(scratch, "kafka"), heap_mib=768) as cluster:
        folder = Path(scratch)
        run = Run(cluster.bootstrap_servers, "restart.", "restart", PARTITIONS, folder)
        await make_topics(run)
        await publish(list(posts_and_replies(stories)), run)
        commands = PARTICIPANTS["hubbub"].prepare(run)
        began = time.monotonic()
        with Processes(commands, run.environment, folder) as processes:
            count, since = 0, time.monotonic()
            while count < stories or time.monotonic() - since < QUIET_SECONDS:
                processes.check()
                await asyncio.sleep(1)
                if (now := await emitted(run)) != count:
                    count, since = now, time.monotonic()
            print(f"{stories} stories scored {since - began:.0f} s after the start; {processes.peak_bytes() >> 20} MiB")
            processes.kill()
        late = _signal("reddit:0.late", "reddit:0", now_ms(), text="So that is what they think of it now.")
        await publish([late], run)
        began = time.monotonic()
        with Processes(commands, run.environment, folder) as processes:
            while await emitted(run) == count:
                processes.check()
                await asyncio.sleep(0.1)
            print(f"scoring again {time.monotonic() - began:.1f} s after the next; {processes.peak_bytes() >> 20} MiB")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else STORIES))
