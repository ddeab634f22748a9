"""``python -m tests.system.replay_digest RECORDING…``: a digest of what each recording comes to.

Replays each recording through ``resolve`` and ``score`` on a new embedded broker. Prints the SHA-256 of the final
scores (without ``previous``, which depends on timing) and of all events except ``noise_update``. Two versions of the
code with the same digests give the same scores and events, byte for byte.

Owns the choice of what is compared. Must never know how a score is made.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import orjson

from hubbub.process.embedded_broker import EmbeddedBroker
from tests.conftest import Broker
from tests.system.pipeline.house import house
from transport.reader import TopicReader
from transport.topics import name

__all__ = ["final_scores", "lasting_events"]

Records = Iterable[tuple[bytes | None, bytes | None]]
"""(key, value) of each record of a topic, in order."""


def final_scores(records: Records) -> list[bytes]:
    """Return the last score of every live story without ``previous``, sorted by story."""
    scores: dict[bytes, bytes] = {}
    for key, value in records:
        if key is None:
            raise ValueError(f"a score without a key: {value!r}")
        if value is None:
            scores.pop(key, None)
        else:
            score = orjson.loads(value)
            del score["previous"]
            scores[key] = orjson.dumps(score)
    return [scores[key] for key in sorted(scores)]


def lasting_events(records: Records) -> list[bytes]:
    """Return every event except ``noise_update``, sorted by its bytes."""
    return sorted(value for _, value in records if value and orjson.loads(value)["type"] != "noise_update")


async def _replay(recording: Path) -> dict[str, list[bytes]]:
    async with EmbeddedBroker() as broker, house(Broker("embedded", broker.bootstrap_servers, "digest-")) as roles:
        await roles.replay(recording)
        records = {}
        for topic in ("noise-scores", "noise-events"):
            async with TopicReader(name(topic, roles.kafka.topic_prefix), roles.options) as reader:
                records[topic] = [(record.key, record.value) for record in await reader.read_to_end()]
    return {"scores": final_scores(records["noise-scores"]), "events": lasting_events(records["noise-events"])}


def main() -> int:
    """Print one line for each recording; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.replay_digest",
        description="Replay recordings and print digests of the final scores and of the events.",
    )
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING", help="signals as NDJSON, .gz or .zst")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write the records there, to compare them with diff"
    )
    options = parser.parse_args()
    for recording in options.recordings:
        line = recording.name
        for what, records in asyncio.run(_replay(recording)).items():
            lines = b"\n".join(records)
            line += f"  {what} {len(records)} sha256 {hashlib.sha256(lines).hexdigest()}"
            if options.keep is not None:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{recording.name}.{what}").write_bytes(lines)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
