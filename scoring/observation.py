"""Observation: what scoring needs to know of a signal, and of what was read from its text.

Owns the shape of its input. Must never know which collector or topic it came from. The record of the topic ``signals``
has these attributes, so its class satisfies the protocols without an import.
"""

# ruff: noqa: D102 - the record that has these attributes documents them

from typing import Literal, Protocol

import msgspec

Sentiment = Literal[-1, 0, 1]
"""What a text expresses: positive (1), negative (-1) or neither (0)."""


class Author(Protocol):
    """The author of an item."""

    @property
    def name(self) -> str | None: ...
    @property
    def followers(self) -> int | None: ...


class Community(Protocol):
    """The place where an item was posted."""

    @property
    def name(self) -> str | None: ...
    @property
    def members(self) -> int | None: ...


class Counts(Protocol):
    """Totals at the time of observation; None is unknown, never 0."""

    @property
    def likes(self) -> int | None: ...
    @property
    def replies(self) -> int | None: ...
    @property
    def shares(self) -> int | None: ...
    @property
    def views(self) -> int | None: ...
    @property
    def like_ratio(self) -> float | None: ...


class Signal(Protocol):
    """One observation of one item; times are UTC epoch milliseconds."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Literal["post", "reply", "repost"]: ...
    @property
    def platform(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def author(self) -> Author | None: ...
    @property
    def community(self) -> Community | None: ...
    @property
    def title(self) -> str | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def permalink(self) -> str | None: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def created_ms(self) -> int: ...
    @property
    def observed_ms(self) -> int: ...
    @property
    def deleted(self) -> bool: ...


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What was read from a signal's text.

    ``figures``: ids of the public figures involved, as author or by mention. ``sentiment``: of a reply; None if it was
    not assessed or the language is unknown, which is not the same as neutral.
    """

    figures: tuple[str, ...] = ()
    sentiment: Sentiment | None = None


UNREAD = Reading()
"""Nothing was read."""
