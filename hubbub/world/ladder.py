"""The ladder of loudness: how loud each story of a generated world gets.

Owns the rungs. Must never know the stories, nor the platforms.

The interactions of stories are a geometric series. So their loudness is well apart, and a rank correlation with the
measured noise is meaningful.
"""

from typing import NamedTuple

LOUDEST, QUIETEST = 1.2, 0.006
"""Interactions of the first and the last story, relative to those of a very loud one (SCORING.md: ``J``)."""
FEWEST_REPLIES = 16
MOST_POSTS, FEWEST_POSTS = 16, 2


class Rung(NamedTuple):
    """A story's place. ``step``: from 0, the loudest, to 1, the quietest.

    ``interactions``: relative to those of a very loud story. ``posts``, ``replies``: their number where it begins.
    """

    rank: int
    step: float
    interactions: float
    posts: float
    replies: float


def rung(rank: int, stories: int, replies: int) -> Rung:
    """Return the place of the story ``rank``, from 0, of so many. ``replies``: of the loudest."""
    step = rank / max(1, stories - 1)
    return Rung(
        rank=rank,
        step=step,
        interactions=LOUDEST * (QUIETEST / LOUDEST) ** step,
        posts=MOST_POSTS * (FEWEST_POSTS / MOST_POSTS) ** step,
        replies=replies * (FEWEST_REPLIES / replies) ** step,
    )
