"""The oracle: what it says at a time is what the platforms show at that time, and no more."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.world import World, generate, truth
from hubbub.world.generated import HOMES

BEGINS_MS = 1_760_000_000_000
HOUR_MS = 3_600_000
_WORLD = generate(7, BEGINS_MS)


def test_nothing_is_true_before_the_world_begins_but_what_the_press_wrote() -> None:
    begun = generate(7, BEGINS_MS, platforms=HOMES)
    assert truth(begun, BEGINS_MS - 1).stories == []
    assert truth(begun, BEGINS_MS - 1).posts == 0
    earlier = {story.id for story in truth(_WORLD, BEGINS_MS - 1).stories}
    assert earlier == {story.id for story in _WORLD.stories if "-faded-" in story.id} | {_WORLD.stories[0].id}


@settings(max_examples=30)
@given(st.integers(0, 8 * HOUR_MS), st.integers(0, 2 * HOUR_MS))
def test_truth_only_grows(since_ms: int, more_ms: int) -> None:
    before = truth(_WORLD, BEGINS_MS + since_ms)
    after = {story.id: story for story in truth(_WORLD, BEGINS_MS + since_ms + more_ms).stories}
    for story in before.stories:
        later = after[story.id]
        assert set(story.posts) <= set(later.posts)
        assert story.items <= later.items
        assert story.onset_ms == later.onset_ms <= before.at_ms
        assert all(count <= later.interactions[platform] for platform, count in story.interactions.items())


def test_a_quiet_world_loses_half_its_loudness_in_a_week(world: World) -> None:
    now = truth(world, world.ends_ms + 30 * 24 * HOUR_MS)
    later = truth(world, world.ends_ms + 37 * 24 * HOUR_MS)
    assert [story.id for story in now.stories] == [story.id for story in later.stories]
    for one, other in zip(now.stories, later.stories, strict=True):
        assert abs(other.loudness - one.loudness / 2) < 0.011


def test_chatter_belongs_to_no_story(world: World) -> None:
    told = {post for story in truth(world, world.ends_ms).stories for post in story.posts}
    everything = [*world.posts("reddit").items, *world.posts("hackernews").items]
    chatter = {post.signal_id for post in everything if post.story is None}
    assert not told & chatter
    assert len(chatter) == 400


def test_spikes_are_listed_once_they_begin(world: World) -> None:
    told = [(story.id, spike) for story in truth(world, world.ends_ms).stories for spike in story.spikes]
    assert len(told) >= 12
    for id_, spike in told:
        for now_ms, expected in ((spike.onset_ms - 1, False), (spike.onset_ms, True)):
            stories = {story.id: story for story in truth(world, now_ms).stories}
            onsets = [one.onset_ms for one in stories[id_].spikes] if id_ in stories else []
            assert (spike.onset_ms in onsets) is expected
        assert spike.items_after >= 1
    loud = [spike for _, spike in told if spike.items_after >= 30]
    assert any(spike.items_before for spike in loud), "one that comes upon earlier items"
    assert all(spike.items_after > 2 * spike.items_before for spike in loud)
