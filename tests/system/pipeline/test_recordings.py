"""Real recordings through the pipeline: the loudest posts lead the ranking, with their last counts."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from hubbub.cli.ranking import ranking
from hubbub.process.embedded_broker import EmbeddedBroker
from tests.conftest import Broker
from tests.system.pipeline.house import comparable, house

FIRST_POSTS = 2_500
WEEK_MS = 7 * 24 * 3_600_000
FRONT_PAGE: dict[str, object] = {}
"""The result on the other kind of broker, if that ran."""

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def last_observations(file: Path) -> dict[str, dict[str, Any]]:
    """Return the latest observation of each item: a few independent lines to check counts with."""
    last: dict[str, dict[str, Any]] = {}
    with gzip.open(file) as lines:
        for line in lines:
            item = json.loads(line)
            if item["id"] not in last or item["observed_ms"] >= last[item["id"]]["observed_ms"]:
                last[item["id"]] = item
    return last


def interactions(item: dict[str, Any]) -> int:
    counts = item["counts"]
    return (counts["likes"] or 0) + 2 * (counts["replies"] or 0) + 3 * (counts["shares"] or 0)


async def test_front_page_of_reddit(broker: Broker, shared: Path) -> None:
    file = shared / "recordings" / "reddit-front-page.ndjson.gz"
    last = last_observations(file)
    async with house(broker) as it:
        await it.replay(file)
        scores, threads = await it.scores(), await it.threads()
        if broker.kind == "embedded":  # the role does what it does on either kind
            await it.replay(file)
            assert comparable(await it.scores()) == comparable(scores)
    # The result is the same on both brokers, to the last digit.
    assert FRONT_PAGE.setdefault("scores", comparable(scores)) == comparable(scores)

    # Every post is in a story, and each platform's counts are the sums of the last observations.
    members: dict[str, list[str]] = defaultdict(list)
    for post in last:
        (story,) = threads.current_stories(post)
        members[story].append(post)
    assert set(members) == set(scores)
    for story, posts in members.items():
        share = scores[story].platforms["reddit"]
        assert share.items == len(posts)
        assert share.interactions == sum(interactions(last[post]) for post in posts)
        for top in scores[story].top:
            assert top.interactions == interactions(last[top.id])

    # The loudest stories hold the loudest posts: of the top twenty most have one of the loudest fifth, where chance
    # would give every fifth. Reactions fade with the half-life of a week.
    end_ms = max(item["observed_ms"] for item in last.values())
    weight = {
        post: interactions(item) * 0.5 ** ((end_ms - item["created_ms"]) / WEEK_MS) for post, item in last.items()
    }
    loud = set(sorted(weight, key=weight.__getitem__)[-len(last) // 5 :])
    assert sum(not loud.isdisjoint(members[score.story]) for score in ranking(scores, 20)) >= 14


async def test_posts_on_ai_from_many_platforms(embedded_broker: EmbeddedBroker, shared: Path, tmp_path: Path) -> None:
    """The first days of the recording; ``python -m tests.system.replay_digest`` replays all of it."""
    first_days = tmp_path / "first-days.ndjson"
    with gzip.open(shared / "recordings" / "ai-beat.ndjson.gz") as lines:
        first_days.write_bytes(b"".join(itertools.islice(lines, FIRST_POSTS)))
    async with house(Broker("embedded", embedded_broker.bootstrap_servers, "ai-")) as it:
        await it.replay(first_days)
        scores = await it.scores()
        letters = [record for record in await it.records("dead-letters") if record is not None]
    assert sum(sum(share.items for share in score.platforms.values()) for score in scores.values()) == FIRST_POSTS
    assert letters == []
    joined = [score for score in scores.values() if len(score.platforms) >= 2]
    assert len(joined) >= 20
    assert any(len(score.platforms) >= 3 for score in joined)
    loudest = ranking(scores, 20)
    assert all(score.noise > 0 for score in loudest)
