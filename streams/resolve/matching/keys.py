"""The keys of stories: which stories have a link, or the words of a copy.

Owns the order in which stories got a key. Must never know what a key stands for.

A key belongs to every story that got it, so that it is found until all of them have expired. Of several, the first is
found, whether a story before it has expired or was never seen. The time of a step does not grow with their number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from streams.resolve.matching.story import LiveStory


class StoriesByKey:
    """The live stories by their keys. Most keys belong to one story, which is held without a collection."""

    def __init__(self) -> None:
        self._stories: dict[int, LiveStory | OrderedDict[LiveStory, None]] = {}

    def first(self, key: int) -> LiveStory | None:
        """Return the first story that got ``key``; None if there is none."""
        held = self._stories.get(key)
        return next(iter(held)) if isinstance(held, OrderedDict) else held

    def add(self, keys: Iterable[int], story: LiveStory) -> tuple[int, ...]:
        """Add ``story`` to those of each of ``keys``; return the keys that are new for it."""
        new = []
        for key in dict.fromkeys(keys):
            held = self._stories.get(key)
            if held is None:
                self._stories[key] = story
            elif not isinstance(held, OrderedDict) and held is not story:
                self._stories[key] = OrderedDict.fromkeys((held, story))
            elif isinstance(held, OrderedDict) and story not in held:
                held[story] = None
            else:
                continue
            new.append(key)
        return tuple(new)

    def drop(self, keys: Iterable[int], story: LiveStory) -> list[int]:
        """Take ``story`` from those of each of ``keys``; return the keys that it had."""
        had = []
        for key in keys:
            held = self._stories.get(key)
            if held is story:
                del self._stories[key]
            elif isinstance(held, OrderedDict) and story in held:
                del held[story]
                if len(held) == 1:
                    self._stories[key] = next(iter(held))
            else:
                continue
            had.append(key)
        return had
