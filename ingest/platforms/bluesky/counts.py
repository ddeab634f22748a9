"""The counts of tracked posts, as the AppView has them.

Owns which posts are polled again, and what it means that one does not come. Must never know where a post came from.
"""

from typing import Final

from cachetools import LRUCache

from ingest.batch import Signals
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.bluesky.addresses import uri_of_post
from ingest.platforms.bluesky.client import MAX_IDS, AppView
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.convert import convert_view, deletion
from ingest.platforms.bluesky.known import Known
from ingest.platforms.bluesky.profiles import Profiles
from ingest.platforms.bluesky.published import Published

ABSENCES: Final = 3
"""A post that is absent from this many answers in a row is taken down. A new post may be absent for minutes."""


class TrackedPosts:
    """Root posts that are polled again. ``watched``: those to go on with, by id."""

    def __init__(
        self, config: BlueskyConfig, published: Published, profiles: Profiles, watched: list[str], now_ms: int
    ) -> None:
        self._published = published
        self._profiles = profiles
        self._max_items = config.reobserve_max_items
        self._tracked = TrackedItems(config.watch_max_items, int(config.watch_hours * HOUR_MS))
        self._tracked.restore(watched, now_ms)
        self._absences: LRUCache[str, int] = LRUCache(config.watch_max_items)

    def __len__(self) -> int:
        return len(self._tracked)

    def ids(self) -> list[str]:
        """Return the ids of the tracked posts."""
        return self._tracked.ids()

    def follow(self, signals: Signals) -> None:
        """Track the root posts among ``signals``, and those no longer that were taken back."""
        for signal in signals.signals:
            if signal.deleted:
                self._tracked.remove(signal.id)
                self._absences.pop(signal.id, None)
            elif signal.is_root:
                self._tracked.observe(signal)

    async def poll(self, appview: AppView, now_ms: int) -> Signals | None:
        """Return new observations of the posts that are due; None if none is.

        Raises:
            CollectError: no usable answer.
        """
        due = self._tracked.due(now_ms, self._max_items)
        pages = [due[at : at + MAX_IDS] for at in range(0, len(due), MAX_IDS)]
        answers = [await appview.posts([uri_of_post(id_) for id_ in page]) for page in pages]
        if not answers:
            return None
        signals = Signals()
        for page, answer in zip(pages, answers, strict=True):
            found = Signals()
            views = answer.json if isinstance(answer.json, list) else []
            for view in views:
                found.extend([convert_view(view, answer.witnessed_ms, self._followers_of(view))])
            # One absence among others says something of the post; an answer without any says it of the platform.
            if len(found.signals) > 0 or len(page) == 1:
                present = {signal.id for signal in found.signals}
                found.signals += [
                    deletion(self._known(id_), answer.witnessed_ms)
                    for id_ in page
                    if self._is_gone(id_, present=id_ in present)
                ]
            self.follow(found)
            signals.extend([found])
        return signals

    def _followers_of(self, view: object) -> int | None:
        author = view.get("author") if isinstance(view, dict) else None
        did = author.get("did") if isinstance(author, dict) else None
        if not isinstance(did, str):
            return None
        self._profiles.want(did)
        return self._profiles.get(did).followers

    def _is_gone(self, id_: str, *, present: bool) -> bool:
        """Return whether a post was absent so often that it is believed to be taken down."""
        if present:
            self._absences.pop(id_, None)
            return False
        absences = self._absences[id_] = self._absences.get(id_, 0) + 1
        return absences >= ABSENCES

    def _known(self, id_: str) -> Known:
        return self._published.take_back(id_) or Known(id_, "post", id_, None)
