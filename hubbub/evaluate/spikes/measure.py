"""How soon detectors find the surges of stories, what they miss, and how often they are wrong.

Owns the measures. Must never know where the stories come from, nor how a detector works.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import msgspec

from hubbub.evaluate.spikes.cases import Case
from hubbub.evaluate.spikes.detectors import DETECTORS, Detector, WatchedStory, run_our_detector
from hubbub.evaluate.spikes.hindsight import Surge

MINUTE_MS = 60_000


class DetectorResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector did. ``delay_minutes``: the median from onset to alarm, None if no alarm began in a surge.

    ``missed``: surges without an alarm in them. ``false_alarms``: alarms that begin outside any surge. An alarm that is
    already on when a surge begins has found it, but says nothing about the delay.
    """

    delay_minutes: float | None
    missed: int
    false_alarms: int
    false_per_story_day: float


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """All detectors on the same stories. ``surges``: those in which a detector should fire."""

    stories: int
    story_days: float
    surges: int
    detectors: dict[str, DetectorResult]


def run_trial(cases: Iterable[Case], detectors: Mapping[str, Detector] = DETECTORS) -> TrialResult:
    """Show every case to every detector."""
    watched = [(case.surges, run_our_detector(case.signals)) for case in cases]
    days = sum(story.days for _, story in watched)
    return TrialResult(
        stories=len(watched),
        story_days=days,
        surges=sum(surge.onset_ms is not None for surges, _ in watched for surge in surges),
        detectors={name: _result(detector, watched, days) for name, detector in detectors.items()},
    )


def _result(detector: Detector, watched: Sequence[tuple[Sequence[Surge], WatchedStory]], days: float) -> DetectorResult:
    delays: list[float] = []
    missed = wrong = 0
    for surges, story in watched:
        alarms = list(detector(story))
        for surge in surges:
            if surge.onset_ms is None:
                continue
            raised = [alarm.on_ms for alarm in alarms if surge.rise_ms < alarm.on_ms <= surge.end_ms]
            if any(alarm.on_ms <= surge.rise_ms < alarm.off_ms for alarm in alarms):
                continue
            if raised:
                delays.append(max(0.0, (raised[0] - surge.onset_ms) / MINUTE_MS))
            else:
                missed += 1
        wrong += sum(not any(surge.rise_ms < alarm.on_ms <= surge.end_ms for surge in surges) for alarm in alarms)
    return DetectorResult(
        delay_minutes=median(delays) if delays else None,
        missed=missed,
        false_alarms=wrong,
        false_per_story_day=wrong / days if days else 0.0,
    )
