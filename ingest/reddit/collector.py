"""The Reddit collector: what to look at, in which order, and how far it has come.

Owns the cursor: which of the latest things of each listing were seen (Reddit's own ``after`` and ``before`` cannot be
trusted with that: a thing they name may have been deleted), and the posts on the watch. Must never know PRAW, nor
publish.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Self

import msgspec

from ingest.agenda import Agenda
from ingest.batch import Batch, Cursor, Signals
from ingest.collector import CollectorSpec
from ingest.pace import Pace
from ingest.reddit.client import PAGE_ITEMS, RedditClient
from ingest.reddit.config import RedditConfig
from ingest.reddit.convert import PLATFORM, convert, signal_id
from ingest.seen import Seen
from ingest.verdict import GiveUpError, NeverRetryError
from ingest.watch import HOUR_MS, Watch

__all__ = ["SPEC", "RedditCollector"]

MAX_SEEN: Final = 1_500
"""Per listing. Reddit's listings reach back 1 000 things; some more, since things come and go."""
MAX_KNOWN_ROOTS: Final = 50_000


class _Cursor(msgspec.Struct):
    """``submissions``, ``comments``: the seen-sets, oldest first. ``watched``: posts on the watch."""

    submissions: list[str] = []
    comments: list[str] = []
    watched: list[str] = []


class _Witnessed(NamedTuple):
    thing: object
    fullname: str
    witnessed_ms: int


class RedditCollector:
    """See :class:`ingest.collector.Collector`."""

    def __init__(self, config: RedditConfig, cursor: Cursor | None, pace: Pace, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._now_ms = now_ms
        self._client = RedditClient(config, pace, now_ms)
        place = "r/" + "+".join(config.subreddits)
        self._paths = {"submissions": f"{place}/new", "comments": f"{place}/comments"}
        looks = {"submissions": config.submissions_poll_seconds, "reobserve": config.reobserve_seconds}
        if config.comments:
            looks["comments"] = config.comments_poll_seconds
        self._agenda = Agenda(looks)
        self._watch = Watch(config.watch_max_items, int(config.watch_hours * HOUR_MS))
        saved = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        self._seen = {
            "submissions": Seen(MAX_SEEN, saved.submissions),
            "comments": Seen(MAX_SEEN, saved.comments),
        }
        self._known_roots = Seen(MAX_KNOWN_ROOTS, [*saved.watched, *saved.submissions])
        self._watch.restore(map(signal_id, saved.watched), now_ms())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        match await self._agenda.next():
            case "submissions":
                signals = await self._new_submissions()
            case "comments":
                signals = await self._new_comments()
            case _:
                due = self._watch.due(self._now_ms(), self._config.reobserve_max_items)
                signals = self._take(await self._info([_fullname(id_) for id_ in due]))
        return Batch(signals, self._cursor())

    async def aclose(self) -> None:
        """End PRAW's thread."""
        await self._client.close()

    @property
    def watched_items(self) -> int:
        """How many posts are looked at again and again."""
        return len(self._watch)

    def _cursor(self) -> Cursor:
        return msgspec.json.encode(
            _Cursor(
                list(self._seen["submissions"]),
                list(self._seen["comments"]),
                sorted(map(_fullname, self._watch.ids())),
            )
        )

    async def _new_submissions(self) -> Signals:
        fresh, gap = await self._fresh("submissions")
        signals = self._take(fresh)
        signals.gaps += gap
        self._mark_seen("submissions", fresh)
        return signals

    async def _new_comments(self) -> Signals:
        """Read new comments; a post they hang on that is not known yet goes before them."""
        fresh, gap = await self._fresh("comments")
        roots = dict.fromkeys(link for item in fresh if (link := _link_of(item.thing)) is not None)
        unknown = [root for root in roots if root not in self._known_roots]
        signals = self._take(await self._info(unknown))
        for root in unknown:  # also one that Reddit does not give: asking again would not help
            self._known_roots.add(root)
        signals.extend([self._take(fresh)])
        signals.gaps += gap
        self._mark_seen("comments", fresh)
        return signals

    async def _fresh(self, name: str) -> tuple[list[_Witnessed], bool]:
        """Read a listing back to something seen; return what was not seen, oldest first, and whether there is a gap.

        A listing shows the newest first and moves on while its pages are read, so a thing may appear on two of them.
        There is a gap if all that Reddit would give was read and nothing in it was known.
        """
        seen = self._seen[name]
        items: dict[str, _Witnessed] = {}
        after: str | None = None
        for _ in range(self._config.listing_max_pages):
            try:
                page = await self._client.listing(self._paths[name], after)
            except NeverRetryError as error:
                raise GiveUpError(f"{error}: check the option subreddits") from error
            witnessed = [_Witnessed(thing, _name_of(thing), page.witnessed_ms) for thing in page.things]
            for item in witnessed:
                items.setdefault(item.fullname, item)
            after = page.after
            if after is None or any(item.fullname in seen for item in witnessed):
                gap = False
                break
            if not len(seen) and witnessed and self._is_past_backfill(witnessed[-1].thing):
                gap = False
                break
        else:
            gap = len(seen) > 0
        return [item for item in reversed(items.values()) if item.fullname not in seen], gap

    def _is_past_backfill(self, thing: object) -> bool:
        signals = convert(thing, self._now_ms()).signals
        return bool(signals) and signals[0].created_ms < self._now_ms() - self._config.backfill_hours * HOUR_MS

    def _mark_seen(self, name: str, items: Iterable[_Witnessed]) -> None:
        for item in items:
            self._seen[name].add(item.fullname)
            if name == "submissions":
                self._known_roots.add(item.fullname)

    async def _info(self, fullnames: Sequence[str]) -> list[_Witnessed]:
        items: list[_Witnessed] = []
        for start in range(0, len(fullnames), PAGE_ITEMS):
            page = await self._client.info(fullnames[start : start + PAGE_ITEMS])
            items += [_Witnessed(thing, _name_of(thing), page.witnessed_ms) for thing in page.things]
        return items

    def _take(self, items: Iterable[_Witnessed]) -> Signals:
        signals = Signals()
        signals.extend(convert(item.thing, item.witnessed_ms) for item in items)
        for signal in signals.signals:
            if signal.is_root:
                self._watch.note(signal)
        return signals


def _name_of(thing: object) -> str:
    """Return the thing's fullname; a digest for one that has none, so that it too is taken only once."""
    data = thing.get("data") if isinstance(thing, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str):
        return name
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()[:16]


def _link_of(thing: object) -> str | None:
    data = thing.get("data") if isinstance(thing, dict) else None
    link = data.get("link_id") if isinstance(data, dict) else None
    return link if isinstance(link, str) else None


def _fullname(id_: str) -> str:
    return id_.removeprefix(f"{PLATFORM}:")


SPEC: Final = CollectorSpec(
    name=PLATFORM,
    needs_account=True,
    needs="an API client: client_id and client_secret from https://www.reddit.com/prefs/apps",
    gives="new posts and comments of chosen communities, with scores, numbers of comments and vote ratios as they grow",
    config=RedditConfig,
    make=RedditCollector,
)
