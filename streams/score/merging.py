"""What a merge does to its two stories.

Owns the states and events of merge-out and merge-in. Pure. Must never know where stories are kept, nor how a transfer
gets from one to the other.
"""

from collections.abc import Mapping

from scoring import StoryState, Tier, Transition, score
from streams.records.noise_event import Merged, NoiseEvent
from streams.records.stories import NOWHERE
from streams.records.story_activity import Merging, Transfer
from streams.score.deciding import decide, state_change
from streams.score.scored_story import ABSORBED, ScoredStory

REASON = "merged with a story in this state"


def end(
    story: ScoredStory, merging: Merging, tiers: Mapping[str, Tier], at_ms: int
) -> tuple[Transfer, list[NoiseEvent]]:
    """Return the transfer of ``story`` at ``at_ms``, and the events of its end. ``tiers``: of public figures, by id."""
    events = decide(story, tiers, at_ms)
    if merging.into.id != NOWHERE:
        info = story.info
        events.append(Merged(story=info.id, slug=info.slug, at_ms=merging.at_ms, into=merging.into.id))
    return Transfer(merging, story.scoring.encode(), tuple(story.absorbed)), events


def redirect(merging: Merging, story: ScoredStory | None, until_ms: int) -> ScoredStory:
    """Return the redirect of the merged-out story, kept until ``until_ms``.

    ``story``: the story as it was, if it ever had a signal. Its de-duplication window is kept.
    """
    left = ScoredStory(merging.gone, into=merging.into, due_ms=until_ms, unemitted=False)
    if story is not None:
        left.delivered, left.absorbed, left.at_ms = story.delivered, story.absorbed, story.at_ms
    return left


def absorb(story: ScoredStory, transfer: Transfer, tiers: Mapping[str, Tier], at_ms: int) -> list[NoiseEvent]:
    """Make ``transfer`` part of ``story`` at ``at_ms``; return the events of that.

    The story is brought up to that time first, as the other was before it was sent.
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
