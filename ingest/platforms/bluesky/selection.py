"""The selection: what becomes of each event of the firehose.

Owns the choice of what to publish: root posts that a watched beat wants, what is said in their threads, and deletions
of what was published. Everything else is counted. Must never fetch, nor know how events arrive.

A reply may overtake the root post of its thread on its way through the network. So a reply to an unknown thread waits a
while, as it does in resolve.
"""

from collections import Counter

import msgspec

from ingest.batch import Ignored, Signals, Unreadable
from ingest.memory.early import EarlyItems
from ingest.memory.seen import Seen
from ingest.platforms.bluesky.addresses import REPOSTS, author_of, id_of_post, signal_id
from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.convert import convert, deletion, quoted_post
from ingest.platforms.bluesky.listener import Heard
from ingest.platforms.bluesky.profiles import Profiles
from ingest.platforms.bluesky.published import Published
from ingest.platforms.bluesky.wire import about, item_in
from ingest.relevance import Relevance
from ingest.signal import Signal


class Selection:
    """Decides by ``relevance`` and by what was ``published``."""

    def __init__(self, config: BlueskyConfig, relevance: Relevance, published: Published, profiles: Profiles) -> None:
        self._relevance = relevance
        self._published = published
        self._profiles = profiles
        self._early: EarlyItems[Heard] = EarlyItems(
            config.early_reply_max_items, int(config.early_reply_seconds * 1_000)
        )
        self._taken_back = Seen(config.early_reply_max_items)

    @property
    def oldest_waiting(self) -> Heard | None:
        """The event that has waited longest for its thread."""
        return self._early.oldest

    def take(self, heard: Heard) -> Signals:
        """Return what becomes of an event."""
        event = heard.event
        if event.gone:
            return self._take_back(self._published.by(event.did), heard)
        if event.handle is not None:
            self._profiles.rename(event.did, event.handle)
        if not event.collection:
            return Signals()
        id_ = signal_id(event.did, event.rkey)
        if event.operation == "delete":
            self._taken_back.add(id_)
            return self._take_back([id_], heard)
        if event.operation == "create" and id_ in self._published:
            return Signals()  # it was accounted for when it came first
        try:
            return self._decide(heard)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return Signals(unreadable=[Unreadable("wrong_shape", str(error), heard.data)])

    def drop_late(self, now_ms: int) -> int:
        """Return how many replies have waited in vain for the root post of their thread."""
        return self._early.drop_late(now_ms)

    def _decide(self, heard: Heard) -> Signals:
        uri = about(heard.event)
        if uri is None:
            return self._root(heard)
        target = id_of_post(uri)
        if target is None:
            return Signals(ignored=Counter([Ignored.ORPHAN]))
        thread = self._published.thread_of(target) if heard.event.collection == REPOSTS else target
        if self._relevance.everything or (thread is not None and self._published.passed(thread)):
            return self._publish(heard, thread or target)
        self._early.add(target, heard, heard.witnessed_ms)
        return Signals()

    def _root(self, heard: Heard) -> Signals:
        item = item_in(heard.place.wire, heard.data)
        became = convert(item, heard.witnessed_ms, self._profiles.get(heard.event.did))
        if not became.signals:
            return became
        (post,) = became.signals
        if not self._wants(post, item):
            return Signals(ignored=Counter([Ignored.IRRELEVANT]))
        self._note(post)
        waited = [early for early in self._early.take(post.id) if _id(early) not in self._taken_back]
        became.extend([self._publish(early, post.id) for early in waited])
        return became

    def _wants(self, post: Signal, item: object) -> bool:
        """Return whether a beat wants a root post or wanted it before, or it quotes an item of a thread that passed."""
        if self._relevance.everything or self._relevance.wants(post) or self._published.passed(post.id):
            return True
        quoted = quoted_post(item)
        return quoted is not None and self._published.thread_of(quoted) is not None

    def _publish(self, heard: Heard, thread: str) -> Signals:
        """Return the signal of a reply or a repost in a thread that passed."""
        item, profile = item_in(heard.place.wire, heard.data), self._profiles.get(heard.event.did)
        became = convert(item, heard.witnessed_ms, profile, thread)
        for signal in became.signals:
            self._note(signal)
        return became

    def _note(self, signal: Signal) -> None:
        self._published.add(signal)
        if signal.author is not None and signal.author.followers is None and signal.kind != "repost":
            self._profiles.want(author_of(signal.id))

    def _take_back(self, ids: list[str], heard: Heard) -> Signals:
        known = [found for id_ in ids if (found := self._published.take_back(id_)) is not None]
        if not known:
            return Signals(ignored=Counter([Ignored.DELETED]))
        return Signals([deletion(found, heard.witnessed_ms) for found in known])


def _id(heard: Heard) -> str:
    return signal_id(heard.event.did, heard.event.rkey)
