"""Cases from generated worlds, whose onsets are known.

Owns which waves of a story a detector should find. Must never know the detectors.
"""

from collections.abc import Iterable, Iterator

from hubbub.evaluate.spikes.cases import Case
from hubbub.evaluate.spikes.hindsight import Surge
from hubbub.world.generated import HOMES, Size, generate
from hubbub.world.items import Item, Post, Story
from hubbub.world.truth import StoryTruth, truth
from ingest.signal import Signal

SEEDS = range(1, 9)
SIZE = Size(hours=48.0, stories=40, chatter=400)
BEGINS_MS = 1_760_000_000_000
LASTS_MS = 4 * 3_600_000
"""A wave lasts this long after its onset, or until the next begins; a later alarm does not find it."""
DUE_ITEMS = 15
DUE_TIMES = 2
"""A sharp onset should be found if its first hour brings ``DUE_ITEMS`` items and ``DUE_TIMES`` as many as before.
The reference site calls 15 items/h a growing story."""


def world_cases(seeds: Iterable[int] = SEEDS, size: Size = SIZE) -> Iterator[Case]:
    """Yield the stories of generated worlds, and each thread of their chatter, in which there is nothing to find."""
    for seed in seeds:
        world = generate(seed, BEGINS_MS, size, HOMES)
        truths = {story.id: story for story in truth(world, world.ends_ms).stories}
        for story in world.stories:
            if story.id in truths:
                yield Case(story.title, _signals(story.posts), _surges(story, truths[story.id]))
        for platform in HOMES:
            for post in world.posts(platform).items:
                if post.story is None:
                    yield Case(post.title, _signals([post]), ())


def _surges(story: Story, known: StoryTruth) -> tuple[Surge, ...]:
    """Return the waves of a story. Sharp ones should be found; for the others no alarm is wrong."""
    due = {
        spike.onset_ms for spike in known.spikes if spike.items_after >= max(DUE_ITEMS, DUE_TIMES * spike.items_before)
    }
    starts = sorted(wave.start_ms for wave in story.waves)
    ends = [*starts[1:], starts[-1] + LASTS_MS]
    return tuple(
        Surge(start_ms, start_ms if start_ms in due else None, min(end_ms, start_ms + LASTS_MS))
        for start_ms, end_ms in zip(starts, ends, strict=True)
    )


def _signals(posts: Iterable[Post]) -> list[Signal]:
    items: list[tuple[Item, Post]] = [(item, post) for post in posts for item in (post, *post.thread)]
    items.sort(key=lambda pair: (pair[0].appears_ms, pair[0].signal_id))
    return [
        Signal(
            id=item.signal_id,
            kind="post" if item is post else "reply",
            platform=item.platform,
            thread=post.signal_id,
            created_ms=item.created_ms,
            observed_ms=item.appears_ms,
        )
        for item, post in items
    ]
