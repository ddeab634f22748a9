"""The words of a taken-back item leave titles, scores and evidence within a minute; its counts stay."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ingest.signal import Author, Counts, Signal
from streams.resolve.matching.headline import TAKEN_BACK
from tests.conftest import Broker
from tests.system.pipeline.house import House, house, write_recording

pytestmark = [pytest.mark.broker, pytest.mark.slow]

NOW_MS = time.time_ns() // 1_000_000
RARE = "zyzzogeton"
"""A word that stands in nothing else."""


def post(number: int, title: str) -> Signal:
    return Signal(
        id=f"x:{number}",
        kind="post",
        platform="x",
        thread=f"x:{number}",
        author=Author(name=f"{RARE}{number}", followers=900),
        title=title,
        text=f"{title}, says {RARE}",
        url=f"https://{RARE}.example/page{number}",
        permalink=f"https://x.example/{RARE}/{number}",
        counts=Counts(likes=50 + number, replies=3),
        created_ms=NOW_MS - 600_000,
        observed_ms=NOW_MS - 300_000 + number,
    )


def reply(number: int, to: Signal) -> Signal:
    return replace(to, id=f"x:r{number}", kind="reply", title=None, text=f"Great news, says {RARE}")


def gone(signal: Signal) -> Signal:
    """Return what a collector says once ``signal`` was taken back."""
    return Signal(
        id=signal.id,
        kind=signal.kind,
        platform=signal.platform,
        thread=signal.thread,
        created_ms=signal.created_ms,
        observed_ms=signal.observed_ms + 60_000,
        deleted=True,
    )


async def shown(it: House) -> str:
    """Return all that the scores hold, from which the page and the API are made, without the names of pages."""
    scores = [msgspec.to_builtins(score) for score in (await it.scores()).values()]
    for score in scores:
        del score["slug"]
    return json.dumps(scores)


async def test_words_leave_titles_scores_and_evidence_and_counts_stay(broker: Broker, tmp_path: Path) -> None:
    first = post(1, f"Harbor bridge in {RARE} closed after a ship strikes a pillar")
    said = [reply(number, first) for number in range(3)]
    alone = post(2, f"Lottery of {RARE} pays out twice")
    async with house(broker) as it:
        await it.replay(write_recording(tmp_path / "said.ndjson", [first, *said, alone]))
        before = await it.scores()
        assert len(before) == 2
        assert RARE in await shown(it)
        await it.replay(write_recording(tmp_path / "gone.ndjson", [gone(one) for one in (first, alone, said[0])]))
        async with asyncio.timeout(60):
            after = await it.scores()
            while {score.title for score in after.values()} != {TAKEN_BACK}:
                await asyncio.sleep(0.2)
                after = await it.scores()
        for story, score in after.items():
            assert score.top == [] or {one.id for one in score.top} <= {one.id for one in said[1:]}
            assert score.windows["life"] == before[story].windows["life"]
        await it.replay(write_recording(tmp_path / "rest.ndjson", [gone(one) for one in said]))
        async with asyncio.timeout(60):
            while RARE in await shown(it):
                await asyncio.sleep(0.2)
