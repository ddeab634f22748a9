"""Profiles: what the authors of published items are called, and how many follow them.

Owns which profiles are cached, for how long, and which to ask for next. Must never know what an author says.
"""

from collections.abc import Callable, Collection
from typing import Final

import msgspec
from cachetools import TTLCache

from ingest.batch import well_formed
from ingest.platforms.bluesky.client import MAX_IDS, AppView
from ingest.platforms.bluesky.known import UNKNOWN, Profile
from ingest.signal import MAX_COUNT

MAX_PROFILES: Final = 100_000
"""Most profiles that are cached, in at most 40 MB."""
MAX_WANTED: Final = 2_000
"""Most profiles that wait to be asked for. The limit of requests allows for some hundred a minute."""


class _View(msgspec.Struct):
    did: str
    handle: str | None = None
    followers: int | None = msgspec.field(name="followersCount", default=None)


class Profiles:
    """Profiles by DID, each cached for ``kept_ms``."""

    def __init__(self, kept_ms: int, now_ms: Callable[[], int]) -> None:
        self._known: TTLCache[str, Profile] = TTLCache(MAX_PROFILES, kept_ms, timer=now_ms)
        self._wanted: dict[str, None] = {}
        self._accounts: Collection[str] = ()

    def get(self, did: str) -> Profile:
        """Return the profile of ``did`` as far as it is known."""
        return self._known.get(did, UNKNOWN)

    def want(self, did: str) -> None:
        """Ask for the profile of ``did``, unless it is known. The latest wish counts if there are too many."""
        if did in self._wanted or self.get(did).followers is not None:
            return
        self._wanted[did] = None
        if len(self._wanted) > MAX_WANTED:
            del self._wanted[next(iter(self._wanted))]

    def know(self, accounts: Collection[str]) -> None:
        """Ask for the authors that the operator names, before they say anything: events name authors by DID alone."""
        if accounts != self._accounts:
            self._accounts = accounts
            self._wanted.update(dict.fromkeys(name for name in accounts if "." in name))

    def rename(self, did: str, handle: str) -> None:
        """Record the present handle of ``did``, if its profile is cached."""
        if did in self._known:
            self._known[did] = self._known[did]._replace(handle=well_formed(handle))

    async def fetch(self, appview: AppView) -> bool:
        """Ask for the profiles that are wanted, in one request; return whether there were any.

        A profile that does not come is wanted again when its author speaks again, so a bad one holds up no other.

        Raises:
            CollectError: no usable answer.
        """
        asked = list(self._wanted)[:MAX_IDS]
        if not asked:
            return False
        for actor in asked:
            del self._wanted[actor]
        answer = await appview.profiles(asked)
        for raw in answer.json if isinstance(answer.json, list) else ():
            try:
                view = msgspec.convert(raw, _View)
            except msgspec.ValidationError:
                continue  # it stays unknown
            followers = view.followers if view.followers is not None and 0 <= view.followers <= MAX_COUNT else None
            self._known[view.did] = Profile(well_formed(view.handle) if view.handle else None, followers)
        return True
