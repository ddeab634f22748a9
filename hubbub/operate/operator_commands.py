"""What an operator orders of stories: given, kept in the log, and listed.

Owns how an order is made from the words of a person: which stories and threads are meant, and that they are there. When
it is carried out is :mod:`streams.resolve.commands`' to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw
from msgspec.structs import replace

from streams.records import encode
from streams.records.stories import ORDER_KEY, THREAD_KEY, OperatorCommand, StoryInfo, decode_thread
from streams.resolve.matching.titles import MAX_TITLE_CHARS, slug_of, story_id
from streams.resolve.threads import ThreadIndex
from transport import topics
from transport.errors import UserError
from transport.producer import open_producer
from transport.reader import TopicReader

__all__ = ["block", "give", "merge", "pin", "read_threads", "rename", "split"]


async def read_threads(kafka: Mapping[str, object], prefix: str) -> ThreadIndex:
    """Return what is known of threads, stories and orders, as of the end of the log now.

    Raises:
        LookupError: there is no such topic.
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    threads = ThreadIndex()
    async with TopicReader(topics.name("stories", prefix), kafka) as tail:
        for record in await tail.read_to_end():
            threads.apply(record.key or b"", record.value)
    return threads


async def give(orders: Sequence[OperatorCommand], kafka: Mapping[str, object], prefix: str) -> None:
    """Write ``orders`` into the log and wait until the broker has them; each with what is known of the thread it pins.

    Raises:
        LookupError: there is no such topic.
        aiokafka.errors.KafkaError: the broker cannot be reached, or refuses.
    """
    features = await _features([order.subject for order in orders if order.kind == "pin"], kafka, prefix)
    async with open_producer(kafka) as producer:
        for order in orders:
            key = ORDER_KEY + f"{order.kind}:{order.subject}".encode()
            known = replace(order, features=features[order.subject]) if order.subject in features else order
            await producer.send_and_wait(topics.name("stories", prefix), encode(known), key, 0)


async def _features(threads: Sequence[str], kafka: Mapping[str, object], prefix: str) -> dict[str, Raw]:
    """Return what the matcher keeps of the root posts of those ``threads`` that are known."""
    features: dict[str, Raw] = {}
    wanted = {THREAD_KEY + thread.encode(): thread for thread in threads}
    async with TopicReader(topics.name("stories", prefix), kafka) as tail:
        for record in await tail.read_to_end() if wanted else ():
            if record.key in wanted and record.value is not None and (known := decode_thread(record.value).assignments):
                features[wanted[record.key]] = known[0].features
    return features


def merge(threads: ThreadIndex, story: str, into: str, given_ms: int) -> list[OperatorCommand]:
    """Return the order to make ``story`` part of ``into``; each is an id or a slug.

    Raises:
        UserError: there is no such story, or both are one.
    """
    gone, other = _story(threads, story), _story(threads, into)
    if gone.id == other.id:
        raise UserError("a story cannot be merged into itself")
    if gone.beat != other.beat:
        raise UserError(f"{gone.slug} is of the beat {gone.beat}, {other.slug} of {other.beat}; only one beat's merge")
    return [OperatorCommand("merge", gone.id, other.id, given_ms=given_ms)]


def split(
    threads: ThreadIndex, story: str, apart: Sequence[str], title: str | None, given_ms: int
) -> list[OperatorCommand]:
    """Return the orders to make the threads ``apart`` of ``story`` a story of its own, called ``title``.

    Raises:
        UserError: there is no such story, or a thread is not part of it.
    """
    info = _story(threads, story)
    for thread in apart:
        if info.id not in threads.by_now(thread):
            raise UserError(f"the thread {thread} is no part of {info.slug}; threads are named like reddit:t3_18wuc1r")
    found = story_id(info.beat, f"apart {apart[0]}")
    called = _title(title or f"{info.title} ({apart[0]})")
    fresh = StoryInfo(found, slug_of(called, found), called, info.beat, given_ms)
    return [OperatorCommand("pin", thread, found, found=fresh, given_ms=given_ms) for thread in apart]


def pin(threads: ThreadIndex, thread: str, story: str, given_ms: int) -> list[OperatorCommand]:
    """Return the order to give ``thread``, seen before or not, to ``story``.

    Raises:
        UserError: there is no such story.
    """
    return [OperatorCommand("pin", thread, _story(threads, story).id, given_ms=given_ms)]


def rename(threads: ThreadIndex, story: str, title: str, given_ms: int) -> list[OperatorCommand]:
    """Return the order to call ``story`` by ``title``; its slug stays.

    Raises:
        UserError: there is no such story, or the title is empty or too long.
    """
    return [OperatorCommand("rename", _story(threads, story).id, title=_title(title), given_ms=given_ms)]


def block(threads: ThreadIndex, story: str, given_ms: int) -> list[OperatorCommand]:
    """Return the order to end ``story`` and to use nothing of it any more.

    Raises:
        UserError: there is no such story.
    """
    return [OperatorCommand("block", _story(threads, story).id, given_ms=given_ms)]


def _story(threads: ThreadIndex, name: str) -> StoryInfo:
    info = threads.named(name)
    if info is None:
        raise UserError(f"no story {name!r}; see: hubbub scores")
    return info


def _title(title: str) -> str:
    if not title.strip() or len(title) > MAX_TITLE_CHARS:
        raise UserError(f"a title has 1 to {MAX_TITLE_CHARS} characters")
    return title.strip()
