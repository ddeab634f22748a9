"""What one step of a partition of stories gives to write, and how many records are applied by that.

Owns the list of what a scorer hands to the writer. Must never know topics, nor how writes are acknowledged.
"""

from dataclasses import dataclass, field

from streams.records.noise_event import NoiseEvent


@dataclass(slots=True)
class OutputBatch:
    """What to write, by story (None: deleted). ``applied``: how many records, in the order taken, are in it completely.

    Scores, events and ``forwarded`` (a story and a record of ``story-activity`` for it) go first: what a state calls
    emitted has been emitted. ``changed``: the stories whose state has changed, written or not. ``first_observed_ms``:
    for each score, the observation time of the first signal that no score covered before.
    """

    watermark_ms: int = 0
    settled: str = ""
    changed: dict[str, None] = field(default_factory=dict)
    states: dict[str, bytes | None] = field(default_factory=dict)
    scores: dict[str, bytes | None] = field(default_factory=dict)
    events: list[NoiseEvent] = field(default_factory=list)
    forwarded: list[tuple[str, bytes]] = field(default_factory=list)
    applied: int = 0
    first_observed_ms: list[int] = field(default_factory=list)
