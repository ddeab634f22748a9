"""What the collector remembers of the videos that it tracks.

Owns their last counts, how far their comments were read, and which video's comments are worth a request. Bounded by the
videos that are tracked. Must never fetch.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ingest.signal import Counts, Signal


class Video(msgspec.Struct, gc=False):
    """A tracked video, as the cursor holds it.

    ``comments_read``: how many there were when they were last read; None: never. ``newest_ms``: of the comments read.
    ``comments``: whether the video has comments at all.
    """

    id: str
    created_ms: int
    comments_read: int | None = None
    newest_ms: int = 0
    comments: bool = True


class Videos:
    """The tracked videos by id; ``saved``: from the cursor."""

    def __init__(self, saved: Iterable[Video] = ()) -> None:
        self._videos = {video.id: video for video in saved}
        self._counts: dict[str, Counts] = {}
        self._missing: set[str] = set()

    def __len__(self) -> int:
        return len(self._videos)

    def get(self, id_: str) -> Video | None:
        """Return a video, None if it is not tracked."""
        return self._videos.get(id_)

    def observe(self, id_: str, signal: Signal) -> None:
        """Record an observation."""
        if id_ not in self._videos:
            self._videos[id_] = Video(id_, signal.created_ms)
        known = self._counts.get(id_, Counts())
        # A feed knows the views alone; what the API has said before still counts.
        self._counts[id_] = signal.counts if signal.counts.replies is not None else known
        self._missing.discard(id_)

    def counts(self, id_: str) -> Counts:
        """Return the last known counts."""
        return self._counts.get(id_, Counts())

    def missed(self, id_: str) -> bool:
        """Record that YouTube does not give a video; return whether that is the second time, so that it is gone."""
        if id_ in self._missing:
            return True
        self._missing.add(id_)
        return False

    def keep(self, ids: Iterable[str]) -> None:
        """Forget all videos but these."""
        self._videos = {id_: self._videos[id_] for id_ in ids if id_ in self._videos}
        self._counts = {id_: counts for id_, counts in self._counts.items() if id_ in self._videos}
        self._missing &= self._videos.keys()

    def most_commented(self) -> Video | None:
        """Return the video with the most unread comments; None if no video has any."""
        unread = {id_: self._unread(video) for id_, video in self._videos.items() if video.comments}
        best = max(unread, key=unread.__getitem__, default=None)
        return self._videos[best] if best is not None and unread[best] > 0 else None

    def saved(self) -> list[Video]:
        """Return what to save."""
        return list(self._videos.values())

    def _unread(self, video: Video) -> int:
        there = self.counts(video.id).replies or 0
        return there - (video.comments_read or 0)
