"""World agreement: how well the stories created agree with the truth of a simulated world.

Owns the comparison. Must never know how either side came about.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import correlation

import msgspec

from hubbub.world.truth import Truth
from streams.records.noise_score import NoiseScore

PIECE_POSTS = 2
"""One post in another story is a miss of the matcher; from two on they are a piece of the story."""


class StoryAgreement(msgspec.Struct, frozen=True):
    """A story of the world, and the story created with most of its posts.

    ``expected``, ``noise``: 0 to 100. ``posts``: of the world's story; ``together``: those in ``story``; ``missing``:
    those in no story. ``pieces``: the stories that hold a part of it.
    """

    id: str
    title: str
    expected: float
    noise: float | None
    story: str | None
    posts: int
    together: int
    missing: int
    pieces: int


class WorldAgreement(msgspec.Struct, frozen=True):
    """The comparison of all stories. ``spearman``: rank correlation of expected and measured noise, -1 to 1.

    ``found_once``: stories in one piece that shares its story with no other. ``split_in_three``: in three or more.
    """

    spearman: float | None
    stories: int
    found_once: int
    split_in_three: int
    found: list[StoryAgreement]


def compare_with_truth(
    truth: Truth, threads: Mapping[str, Sequence[str]], scores: Mapping[str, NoiseScore]
) -> WorldAgreement:
    """Return how well stories agree with ``truth``. ``threads``: the stories of each thread; ``scores``: by story."""
    holders: Counter[str] = Counter()
    found: list[StoryAgreement] = []
    for story in truth.stories:
        shares = Counter(held for post in story.posts for held in threads.get(post, ())[:1])
        main, together = shares.most_common(1)[0] if shares else (None, 0)
        if main is not None:
            holders[main] += 1
        score = scores.get(main) if main is not None else None
        found.append(
            StoryAgreement(
                id=story.id,
                title=story.title,
                expected=story.loudness,
                noise=None if score is None else score.noise,
                story=main,
                posts=len(story.posts),
                together=together,
                missing=len(story.posts) - shares.total(),
                pieces=sum(1 for held, posts in shares.items() if held == main or posts >= PIECE_POSTS),
            )
        )
    once = [item for item in found if item.story is not None and item.pieces == 1 and holders[item.story] == 1]
    return WorldAgreement(
        spearman=_spearman([(item.expected, item.noise) for item in found if item.noise is not None]),
        stories=len(found),
        found_once=len(once),
        split_in_three=sum(item.pieces >= 3 for item in found),
        found=found,
    )


def _spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the rank correlation; None for fewer than three pairs, or if all ranks are equal."""
    if len(pairs) < 3:
        return None
    expected, measured = ([pair[side] for pair in pairs] for side in (0, 1))
    if len(set(expected)) == 1 or len(set(measured)) == 1:
        return None
    return correlation(_ranks(expected), _ranks(measured))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equal values share their mean rank."""
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) - 1) / 2 for value in values]
