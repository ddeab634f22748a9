"""The golden case of SCORING.md through the whole pipeline: signals that give those factors, and what they score."""

from __future__ import annotations

from math import log10
from pathlib import Path

import pytest

from ingest.signal import Author, Community, Counts, Signal
from scoring import Factors, compose
from tests.conftest import Broker
from tests.system.pipeline.house import house, write_recording

pytestmark = [pytest.mark.broker, pytest.mark.slow]

GOLDEN = {
    "reach": 38,
    "engagement": 83,
    "star_power": 15,
    "duration": 4,
    "cross_platform": 20,
    "polarity": 50,
    "industry_impact": 50,
}
POSTED_MS = 1_775_000_000_000
RUN_MS = 10_368_000  # 4 % of 72 h
SILENCE_MS = 8_769_152  # decay leaves 99 % after it
VIEWS, LIKES, REPLIES = 1_094, 10_439, 1


def _signals() -> list[Signal]:
    thread = "reddit:t3_golden"
    title = "{B} and {C} named in row over tracking software on workers' computers"
    post = Signal(
        id=thread,
        kind="post",
        platform="reddit",
        thread=thread,
        author=Author("someone"),
        community=Community("Futurology"),
        title=title.format(B=B_FIGURE, C=C_FIGURE),
        counts=Counts(likes=LIKES, views=VIEWS),
        created_ms=POSTED_MS,
        observed_ms=POSTED_MS + 1_000,
    )
    reply = Signal(
        id="reddit:t1_reply",
        kind="reply",
        platform="reddit",
        thread=thread,
        created_ms=POSTED_MS + RUN_MS,
        observed_ms=POSTED_MS + RUN_MS,
    )
    # A thread of its own that only moves event time to the hour of scoring.
    later = Signal(
        id="news:later",
        kind="post",
        platform="news",
        thread="news:later",
        title="Unrelated: ferry timetable for the northern islands published",
        created_ms=POSTED_MS + RUN_MS + SILENCE_MS,
        observed_ms=POSTED_MS + RUN_MS + SILENCE_MS,
    )
    return [post, reply, later]


B_FIGURE, C_FIGURE = "Yoshua Bengio", "Gary Marcus"


async def test_golden_case_through_the_pipeline(broker: Broker, tmp_path: Path) -> None:
    async with house(broker, settings={"HUBBUB_SCORE__ASSESSOR": "none"}) as it:  # the golden case was never assessed
        await it.replay(write_recording(tmp_path / "golden.ndjson", _signals()))
        scores, threads = await it.scores(), await it.threads()
    (story,) = threads.current_stories("reddit:t3_golden")
    scored = scores[story]

    by_hand = Factors(
        reach=100 * log10(1 + VIEWS) / 8,
        engagement=100 * log10(1 + 10_000 * (LIKES + 2 * REPLIES) / 50_000) / 4,
        star_power=15,
        duration=100 * RUN_MS / 3_600_000 / 72,
        cross_platform=20,
        polarity=50,
        industry_impact=50,
    )
    decay = 0.5 ** (SILENCE_MS / (7 * 24 * 3_600_000))
    assert scored.noise == pytest.approx(compose(by_hand, decay=decay), abs=1e-9)
    assert scored.decay == pytest.approx(decay, abs=1e-12)

    # Whole numbers of views and likes cannot hit the page's rounded factors exactly; they show the same page.
    shown = {name: round(getattr(scored.factors, name)) for name in GOLDEN}
    assert shown == GOLDEN
    assert (round(scored.noise), scored.band, scored.state, round(100 * scored.decay)) == (39, "murmur", "trending", 99)
    assert scored.noise == pytest.approx(39.4515, abs=0.01)
