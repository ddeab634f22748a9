"""Operator commands on stories: made, written to the log, and listed.

Owns the step from a person's words to a command: which stories and threads they mean, and that these exist.
:mod:`streams.resolve.commands` carries commands out.
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw
from msgspec.structs import replace

from hubbub.operate.decisions import read_decisions
from hubbub.operate.decoding import readable
from streams.records import encode
from streams.records.stories import ORDER_KEY, OperatorCommand, StoryInfo
from streams.resolve.matching.titles import MAX_TITLE_CHARS, slug_of, story_id
from streams.resolve.threads import ThreadIndex
from transport import topics
from transport.errors import UserError
from transport.producer import open_producer
from transport.reader import TopicReader


async def read_threads(kafka: Mapping[str, object], prefix: str) -> ThreadIndex:
    """Return the threads, stories and commands in the log now.

    Raises:
        TopicMissingError: the topic does not exist.
        UnreadableRecordError: a record of the topic cannot be read.
        KafkaError: the broker cannot be reached.
    """
    threads = ThreadIndex()
    async with TopicReader(topics.name("stories", prefix), kafka) as reader:
        async for record in reader.until_end():
            with readable(record):
                threads.apply(record.key or b"", record.value)
    return threads


async def publish(commands: Sequence[OperatorCommand], kafka: Mapping[str, object], prefix: str) -> None:
    """Write ``commands`` to the log, and wait until the broker has them.

    The command to pin a thread carries the features of its root post, if the log has them.

    Raises:
        TopicMissingError: the topic does not exist.
        KafkaError: the broker cannot be reached, or refuses.
    """
    features = await _features([command.subject for command in commands if command.kind == "pin"], kafka, prefix)
    async with open_producer(kafka) as producer:
        for command in commands:
            key = ORDER_KEY + f"{command.kind}:{command.subject}".encode()
            known = features.get(command.subject)
            value = encode(command if known is None else replace(command, features=known))
            await producer.send_and_wait(topics.name("stories", prefix), value, key, 0)


async def _features(threads: Sequence[str], kafka: Mapping[str, object], prefix: str) -> dict[str, Raw]:
    """Return the matcher's features of the root posts of ``threads``, as far as the log has them."""
    matched, _ = await read_decisions(threads, kafka, prefix)
    return {thread: known.assignments[0].features for thread, known in matched.items() if known.assignments}


# Each of the following returns the commands, and raises UserError if a name means no story or an argument is wrong.
# A story is named by id or slug. ``given_ms``: the time of the command, UTC epoch ms.


def merge(threads: ThreadIndex, story: str, into: str, given_ms: int) -> list[OperatorCommand]:
    """Make ``story`` part of ``into``."""
    merged, other = _story(threads, story), _story(threads, into)
    if merged.id == other.id:
        raise UserError("a story cannot be merged into itself; name two stories")
    if merged.beat != other.beat:
        raise UserError(
            f"{merged.slug} is in beat {merged.beat}, {other.slug} in {other.beat}; only stories of one beat can merge"
        )
    return [OperatorCommand("merge", merged.id, other.id, given_ms=given_ms)]


def split(
    threads: ThreadIndex, story: str, apart: Sequence[str], title: str | None, given_ms: int
) -> list[OperatorCommand]:
    """Make the threads ``apart`` of ``story`` a new story called ``title``."""
    info = _story(threads, story)
    for thread in apart:
        if info.id not in threads.current_stories(thread):
            raise UserError(f"thread {thread} is not in {info.slug}; threads have names like reddit:t3_18wuc1r")
    new = story_id(info.beat, f"apart {apart[0]}")
    new_title = _title(title or f"{info.title} ({apart[0]})")
    new_story = StoryInfo(new, slug_of(new_title, new), new_title, info.beat, given_ms)
    return [OperatorCommand("pin", thread, new, found=new_story, given_ms=given_ms) for thread in apart]


def pin(threads: ThreadIndex, thread: str, story: str, given_ms: int) -> list[OperatorCommand]:
    """Give ``thread``, known or not, to ``story``."""
    return [OperatorCommand("pin", thread, _story(threads, story).id, given_ms=given_ms)]


def rename(threads: ThreadIndex, story: str, title: str, given_ms: int) -> list[OperatorCommand]:
    """Give ``story`` another title; its slug stays."""
    return [OperatorCommand("rename", _story(threads, story).id, title=_title(title), given_ms=given_ms)]


def block(threads: ThreadIndex, story: str, given_ms: int) -> list[OperatorCommand]:
    """End ``story``, and ignore everything about it from now on."""
    return [OperatorCommand("block", _story(threads, story).id, given_ms=given_ms)]


def _story(threads: ThreadIndex, name: str) -> StoryInfo:
    info = threads.find_story(name)
    if info is None:
        raise UserError(f"no story {name!r}; see: hubbub scores")
    return info


def _title(title: str) -> str:
    if not title.strip() or len(title) > MAX_TITLE_CHARS:
        raise UserError(f"a title has 1 to {MAX_TITLE_CHARS} characters; choose another")
    return title.strip()
