"""The keys of stories: which stories have a link, or the words of a copy.

Owns the order in which stories got a key. Must never know what a key stands for.

A key belongs to every story that got it, so that it is found until all of them have expired. Of several, the first is
found, whether a story before it has expired or was never seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.resolve.matching.story import LiveStory, current


class StoriesByKey:
    """The live stories by their keys."""

    def __init__(self) -> None:
        self._stories: dict[int, list[LiveStory]] = {}

    def first(self, key: int) -> LiveStory | None:
        """Return the first story that got ``key``; None if there is none."""
        stories = self._stories.get(key)
        return current(stories[0]) if stories else None

    def add(self, keys: Iterable[int], story: LiveStory) -> tuple[int, ...]:
        """Add ``story`` to those of each of ``keys``; return the keys that are new for it."""
        new = []
        for key in dict.fromkeys(keys):
            stories = self._stories.setdefault(key, [])
            if all(current(one) is not story for one in stories):
                stories.append(story)
                new.append(key)
        return tuple(new)

    def drop(self, keys: Iterable[int], story: LiveStory) -> None:
        """Take ``story`` from those of each of ``keys``."""
        for key in dict.fromkeys(keys):
            stories = [one for one in self._stories.get(key, ()) if current(one) is not story]
            if stories:
                self._stories[key] = stories
            else:
                self._stories.pop(key, None)
