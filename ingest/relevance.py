"""Relevance at the source: which root posts of a firehose the operator's beats want.

Owns the question as a collector may ask it. The front door answers with the function by which resolve decides, so that
nothing is left out that resolve would have used. Must never know a beat, nor a platform.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.signal import Signal


@dataclass(slots=True, eq=False)
class Relevance:
    """What the beats want. ``wants(signal)``: whether the root post ``signal`` is relevant to one of them.

    A reply or a repost is used if the root post of its thread is, whatever it says itself. ``accounts``: names of
    authors whose posts are relevant whatever they say, as the operator wrote them. ``everything``: every post is
    wanted, so there is nothing to ask.

    The beats may change while collectors run. So a collector keeps this object, and asks it each time.
    """

    wants: Callable[[Signal], bool]
    accounts: tuple[str, ...] = ()
    everything: bool = False

    def become(self, other: "Relevance") -> None:
        """Want what ``other`` wants, from now on."""
        self.wants, self.accounts, self.everything = other.wants, other.accounts, other.everything


EVERYTHING: Final = Relevance(lambda _: True, everything=True)
