"""A recording replayed twice: undisturbed, and through faults. Both must come to the same.

Owns the two runs and what they are held against. Where the recording comes from, and what brokers it runs on, is the
caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.cluster import Cluster
from hubbub.clock import wall_clock
from hubbub.operate.replay import replay, wait_until_scored
from hubbub.settings import KafkaSettings
from tests.system.chaos.audit import Finding, account, against_oracle, against_undisturbed, letters, read_outcome
from tests.system.chaos.faults import Disturbance, Done
from tests.system.chaos.load import Load, Recording
from tests.system.chaos.schedule import Lane, plan
from tests.system.chaos.stage import Stage

__all__ = ["Result", "run", "settle"]

SILENCE_SECONDS = 90.0


@dataclass(slots=True)
class Result:
    """What was done and found, under which load; ``failures``: what roles died of."""

    load: Load
    done: list[Done] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)


async def run(
    recording: Recording,
    *,
    kafka: KafkaSettings,
    folder: Path,
    seed: str,
    lanes: Sequence[Lane],
    seconds: float,
    tell: Callable[[str], None] = lambda _: None,
    cluster: Cluster | None = None,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Replay ``recording`` undisturbed, then within ``seconds`` while ``lanes`` happen, and compare."""
    tell(f"a recording of {len(recording)} signals, undisturbed")
    async with Stage(_prefixed(kafka, "calm-"), ("resolve", "score"), folder, environment) as stage:
        await _replay(stage, recording, None)
        await settle(stage.kafka)
        calm = await read_outcome(stage.kafka)
    stormy = _prefixed(kafka, "stormy-")
    async with Stage(stormy, ("resolve", "resolve", "score", "score"), folder, environment) as stage:
        tell(f"the same within {seconds:.0f} s, disturbed")
        disturbance = Disturbance(stage, seed, cluster=cluster)
        began_ms = wall_clock()
        span_seconds = (recording[-1][0].observed_ms - recording[0][0].observed_ms) / 1000
        (published_seconds, ended_ms), _ = await asyncio.gather(
            _replay(stage, recording, span_seconds / seconds), disturbance.run(plan(seed, lanes, seconds))
        )
        await settle(stormy)  # what was done last may still be at work
        outcome = await read_outcome(stormy)
        published = Finding(
            "the recording is in the log once",
            sorted(one.raw for one in outcome.logged) == sorted(raw for _, raw in recording),
            f"{len(outcome.logged)} of {len(recording)} signals",
        )
    load = Load.of(
        len(recording),
        began_ms=began_ms,
        published_seconds=published_seconds,
        ended_ms=ended_ms,
        told_ms=outcome.told_ms,
    )
    return Result(
        load,
        done=disturbance.done,
        findings=[
            published,
            *against_oracle(outcome),
            letters(outcome, disturbance.poison),
            account(outcome),
            *against_undisturbed(outcome, calm),
        ],
        failures=dict(stage.failures),
    )


async def _replay(stage: Stage, recording: Recording, speed: float | None) -> tuple[float, int]:
    """Publish, wait until all is scored; return for how many seconds was published, and when all was scored."""
    options, prefix = stage.kafka.client_options(), stage.kafka.topic_prefix
    done = await replay(iter(recording), kafka=options, prefix=prefix, speed=speed)
    await wait_until_scored(done.token, kafka=options, prefix=prefix, idle_timeout_seconds=SILENCE_SECONDS)
    return done.seconds, wall_clock()


async def settle(kafka: KafkaSettings) -> None:
    """Have every story scored once more, by whoever has it now: a recording of nothing ends."""
    options, prefix = kafka.client_options(), kafka.topic_prefix
    done = await replay(iter(()), kafka=options, prefix=prefix, speed=None)
    await wait_until_scored(done.token, kafka=options, prefix=prefix, idle_timeout_seconds=SILENCE_SECONDS)


def _prefixed(kafka: KafkaSettings, prefix: str) -> KafkaSettings:
    return kafka.model_copy(update={"topic_prefix": kafka.topic_prefix + prefix})
