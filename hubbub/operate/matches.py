"""Why posts are in their stories: what the matcher, or an operator, decided.

Owns the reason of each. Must never decide anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from hubbub.operate.decisions import read_decisions
from hubbub.operate.decoding import UnreadableRecordError
from streams.records.stories import Assignment
from streams.resolve.matching.features import Features

_decode_features = msgspec.json.Decoder(Features | None).decode


class MatchReason(msgspec.Struct, frozen=True):
    """Why a thread is in its story. ``because``: what it shares with that: words, the most telling first, or a link.

    ``by``: what decided, as in the metric ``hubbub_candidates_decided_total``, or ``operator``.
    """

    by: str
    because: tuple[str, ...] = ()


async def read_matches(
    threads: Collection[str], beat: str, kafka: Mapping[str, object], prefix: str
) -> dict[str, MatchReason]:
    """Return why each of ``threads`` (ids of root posts) is in its story of ``beat``; the undecided are left out.

    Raises:
        TopicMissingError: there is no topic of stories.
        UnreadableRecordError: a record of the topic cannot be read.
        KafkaError: the broker cannot be reached.
    """
    matched, moved = await read_decisions(threads, kafka, prefix)
    found: dict[str, MatchReason] = {}
    for thread, decision in matched.items():
        for assignment in decision.assignments:
            if assignment.beat == beat:
                found[thread] = _reason(thread, assignment)
    return found | dict.fromkeys(moved, MatchReason("operator"))


def _reason(thread: str, assignment: Assignment) -> MatchReason:
    try:
        features = _decode_features(assignment.features)
    except msgspec.DecodeError as error:
        raise UnreadableRecordError(f"the decision on {thread} cannot be read: {error}; see docs/runbook.md") from error
    return MatchReason(assignment.stage, features.because if features else ())
