"""The replayed part: a recording replayed twice, undisturbed and with faults. Both must give the same result.

Owns the two runs and their comparison. The caller provides the recording and the brokers.
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
from tests.system.chaos.audit import (
    Finding,
    accounted,
    compare_with_oracle,
    compare_with_undisturbed,
    dead_letters,
    read_records,
)
from tests.system.chaos.deployment import Deployment
from tests.system.chaos.faults import FaultInjector, InjectedFault
from tests.system.chaos.load import Load, Recording
from tests.system.chaos.schedule import FaultQueue, plan

__all__ = ["Result", "rescore_all", "run"]

IDLE_TIMEOUT_SECONDS = 90.0


@dataclass(slots=True)
class Result:
    """The faults, the findings and the load. ``failures``: the errors that ended roles, counted."""

    load: Load
    injected: list[InjectedFault] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)


async def run(
    recording: Recording,
    *,
    kafka: KafkaSettings,
    folder: Path,
    seed: str,
    queues: Sequence[FaultQueue],
    seconds: float,
    report: Callable[[str], None] = lambda _: None,
    cluster: Cluster | None = None,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Replay ``recording`` undisturbed, then within ``seconds`` with the faults of ``queues``, and compare."""
    report(f"a recording of {len(recording)} signals, undisturbed")
    async with Deployment(_prefixed(kafka, "undisturbed-"), ("resolve", "score"), folder, environment) as deployment:
        await _replay(deployment, recording, None)
        await rescore_all(deployment.kafka)
        undisturbed = await read_records(deployment.kafka)
    disturbed = _prefixed(kafka, "disturbed-")
    async with Deployment(disturbed, ("resolve", "resolve", "score", "score"), folder, environment) as deployment:
        report(f"the same recording within {seconds:.0f} s, disturbed")
        injector = FaultInjector(deployment, seed, cluster=cluster)
        began_ms = wall_clock()
        span_seconds = (recording[-1][0].observed_ms - recording[0][0].observed_ms) / 1000
        (published_seconds, ended_ms), _ = await asyncio.gather(
            _replay(deployment, recording, span_seconds / seconds), injector.run(plan(seed, queues, seconds))
        )
        await rescore_all(disturbed)  # the last faults may still have an effect
        run = await read_records(disturbed)
        published = Finding(
            "the recording is in the log once",
            sorted(one.raw for one in run.logged) == sorted(raw for _, raw in recording),
            f"{len(run.logged)} of {len(recording)} signals",
        )
    load = Load.of(
        len(recording),
        began_ms=began_ms,
        published_seconds=published_seconds,
        ended_ms=ended_ms,
        emitted_ms=run.emitted_ms,
    )
    return Result(
        load,
        injected=injector.injected,
        findings=[
            published,
            *compare_with_oracle(run),
            dead_letters(run, injector.poison),
            accounted(run),
            *compare_with_undisturbed(run, undisturbed),
        ],
        failures=dict(deployment.failures),
    )


async def _replay(deployment: Deployment, recording: Recording, speed: float | None) -> tuple[float, int]:
    """Publish, and wait until all is scored. Return for how many seconds it was published, and when all was scored."""
    options, prefix = deployment.kafka.client_options(), deployment.kafka.topic_prefix
    done = await replay(iter(recording), kafka=options, prefix=prefix, speed=speed)
    await wait_until_scored(done.token, kafka=options, prefix=prefix, idle_timeout_seconds=IDLE_TIMEOUT_SECONDS)
    return done.seconds, wall_clock()


async def rescore_all(kafka: KafkaSettings) -> None:
    """Score every story again: replay an empty recording, whose end makes the current workers score all stories."""
    options, prefix = kafka.client_options(), kafka.topic_prefix
    done = await replay(iter(()), kafka=options, prefix=prefix, speed=None)
    await wait_until_scored(done.token, kafka=options, prefix=prefix, idle_timeout_seconds=IDLE_TIMEOUT_SECONDS)


def _prefixed(kafka: KafkaSettings, prefix: str) -> KafkaSettings:
    return kafka.model_copy(update={"topic_prefix": kafka.topic_prefix + prefix})
