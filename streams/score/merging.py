"""What happens to two stories that turn out to be one.

Owns how one ends and how the other takes it in: their states and the events of it. Pure. Must never know where stories
are kept, nor how the one gets to the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from scoring import StoryState, Tier, Transition, score
from streams.records.noise_event import Merged, NoiseEvent
from streams.records.stories import NOWHERE
from streams.records.story_activity import Merging, Transfer
from streams.score.deciding import decide, state_change
from streams.score.state import ABSORBED, Story

__all__ = ["absorb", "end", "stub"]

REASON = "merged with a story in this state"


def end(story: Story, merging: Merging, tiers: Mapping[str, Tier], at_ms: int) -> tuple[Transfer, list[NoiseEvent]]:
    """Return what ``story`` leaves at ``at_ms``, and the events of its end. ``tiers``: of the public figures, by id."""
    events = decide(story, tiers, at_ms)
    if merging.into.id != NOWHERE:
        info = story.info
        events.append(Merged(story=info.id, slug=info.slug, at_ms=merging.at_ms, into=merging.into.id))
    return Transfer(merging, story.scoring.encode(), tuple(story.absorbed)), events


def stub(merging: Merging, story: Story | None, until_ms: int) -> Story:
    """Return what is kept of the story that is gone until ``until_ms``: where to send what still comes, and what has.

    ``story``: what there was of it, if anything ever came.
    """
    left = Story(merging.gone)
    left.into = merging.into
    left.due_ms = until_ms
    left.untold = False
    if story is not None:
        left.delivered = story.delivered
        left.absorbed = story.absorbed
        left.at_ms = story.at_ms
    return left


def absorb(story: Story, transfer: Transfer, tiers: Mapping[str, Tier], at_ms: int) -> list[NoiseEvent]:
    """Make what another story left part of ``story`` at ``at_ms``; return the events of that.

    Both are brought up to that time first, since what they were found to be until then is what is joined.
    """
    events = decide(story, tiers, at_ms)
    before = story.scoring.lifecycle.state
    story.scoring.merge(StoryState.decode(transfer.scoring))
    story.absorbed = [*story.absorbed, *transfer.absorbed, transfer.merging.gone.id][-ABSORBED:]
    state = story.scoring.lifecycle.state
    if state != before:
        noise = score(story.scoring.ledger, at_ms, tiers=tiers).noise
        events.append(state_change(story.info, Transition(before, state, at_ms, REASON), noise))
    return events
