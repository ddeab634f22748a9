"""Relevance at the source: which root posts of a firehose the operator's beats want.

Owns the question as a collector may ask it. The front door answers with the function by which resolve decides, so that
nothing is left out that resolve would have used. Must never know a beat, nor a platform.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.signal import Signal


@dataclass(frozen=True, slots=True)
class Relevance:
    """What the beats want. ``wants(signal)``: whether the root post ``signal`` is relevant to one of them.

    A reply or a repost is used if the root post of its thread is, whatever it says itself. ``accounts``: names of
    authors whose posts are relevant whatever they say, as the operator wrote them. ``everything``: every post is
    wanted, so there is nothing to ask.
    """

    wants: Callable[[Signal], bool]
    accounts: tuple[str, ...] = ()
    everything: bool = False


EVERYTHING: Final = Relevance(lambda _: True, everything=True)
