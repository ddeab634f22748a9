"""What came of looking at one partition of stories: all that is to be written, and which events are done by that.

Owns the list of what a scorer hands to whoever writes. Must never know topics, nor how writes are confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.records.noise_event import NoiseEvent

__all__ = ["Outcome"]


@dataclass(slots=True)
class Outcome:
    """What is to be written, by story (None: deleted), and which events are done once it is, in the order they came.

    ``changed``: the stories whose state is another now, whether it is written yet or not.

    Scores, events and what is ``sent`` to other partitions' stories (a story and a record of ``story-activity``) go
    first: what a state says was told has been told. ``scored_observations_ms``: for each emitted score, when
    the first of the signals was observed that it is the first to cover.
    """

    watermark_ms: int = 0
    settled: str = ""
    changed: dict[str, None] = field(default_factory=dict)
    states: dict[str, bytes | None] = field(default_factory=dict)
    scores: dict[str, bytes | None] = field(default_factory=dict)
    events: list[NoiseEvent] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    done: list[object] = field(default_factory=list)
    scored_observations_ms: list[int] = field(default_factory=list)
