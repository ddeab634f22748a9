"""A short `make chaos` on each kind of broker: roles killed, stopped, joined and misled in time; input poisoned."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.settings import KafkaSettings
from ingest.signal import encode
from tests.conftest import Broker
from tests.system.chaos import replayed
from tests.system.chaos.schedule import SHORT
from tests.system.pipeline.recording import make

pytestmark = [pytest.mark.broker, pytest.mark.slow]


async def test_a_recording_comes_to_the_same_whatever_happens(broker: Broker, tmp_path: Path) -> None:
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, topic_prefix=broker.topic_prefix, partitions=3)
    recording = [(signal, encode(signal)) for signal in make(2, replies=120, observations=12)]
    result = await replayed.run(recording, kafka=kafka, folder=tmp_path, seed="1", queues=SHORT, seconds=12)
    assert [fault for fault in result.injected if not fault.observed] == []
    assert [finding for finding in result.findings if not finding.kept] == []
