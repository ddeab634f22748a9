"""Creating the topics and checking them, on any broker.

Owns the comparison of :data:`transport.topics.TOPICS` with the broker's topics, and the words for each difference.
Never changes or deletes an existing topic: its records are the operator's, so a difference is reported with its fix.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from transport.admin import TopicDescription, TopicRefusedError, create_topics, describe_topics
from transport.topics import MEMORY, TOPICS, Topic, name

AT_LEAST: Final = frozenset({"retention.ms", "max.message.bytes", "min.insync.replicas"})
"""A larger value of these settings does no harm. Other settings only tune compaction: the operator chooses them."""

REBUILD: Final = "it is a role's memory, which must fit the other topics: rebuild (docs/how-to/rebuild-from-signals.md)"


@dataclass(frozen=True, slots=True)
class Created:
    """The names of the topics that :func:`create` created and found, in the order of ``TOPICS``."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference: what is wrong with the topic, and the command or setting that fixes it.

    ``unverified``: the broker does not say (the embedded one has no such setting), so nothing need be wrong.
    """

    topic: str
    what: str
    fix: str
    unverified: bool = False


async def create(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> Created:
    """Create the topics that are missing; return when every broker knows them. Existing topics stay as they are.

    ``prefix``: of the names. ``partitions``: of the topics that scale. ``replication``: copies of each record.

    Raises:
        TopicRefusedError: the broker refuses a topic.
        KafkaError: no broker answers.
    """
    wanted = {name(topic.name, prefix): topic for topic in TOPICS}
    try:
        created = await create_topics(kafka, wanted, partitions, replication)
    except TopicRefusedError as error:
        if replication == 1:
            raise
        raise TopicRefusedError(f"{error} (HUBBUB_KAFKA__REPLICATION is {replication})") from None
    return Created(
        created=tuple(topic for topic in wanted if topic in created),
        existing=tuple(topic for topic in wanted if topic not in created),
    )


async def check(kafka: Mapping[str, object], prefix: str, partitions: int, replication: int) -> list[Problem]:
    """Compare the topics with what they should be; return every difference. The arguments are those of ``create``.

    Raises:
        KafkaError: no broker answers.
    """
    topics = {name(topic.name, prefix): topic for topic in TOPICS}
    found, brokers = await describe_topics(kafka, list(topics))
    servers = str(kafka["bootstrap_servers"])
    counts = {
        len(found[topic].replicas) for topic, wanted in topics.items() if topic in found and not wanted.partitions
    }
    problems: list[Problem] = []
    for topic_name, topic in topics.items():
        here = found.get(topic_name)
        if here is None:
            is_lost = topic.name in MEMORY and name("signals", prefix) in found
            fix = REBUILD if is_lost else "run: hubbub topics create"
            problems.append(Problem(topic_name, "it does not exist", fix))
            continue
        problems += _partitions(topic_name, topic, here, partitions, servers, all_alike=len(counts) == 1)
        problems += _replicas(topic_name, here, replication, brokers, servers)
        problems += _settings(topic_name, topic.config(replication), here, servers)
    return problems


def _partitions(
    topic_name: str, topic: Topic, here: TopicDescription, partitions: int, servers: str, *, all_alike: bool
) -> Iterator[Problem]:
    have, want = len(here.replicas), topic.partitions or partitions
    if have == want:
        return
    # Added partitions would move keys away from the state that belongs to them.
    fix = (
        f"stop all roles and create it again (its records are lost): kafka-topics.sh --bootstrap-server {servers} "
        f"--delete --topic {topic_name} && hubbub topics create"
    )
    if not topic.partitions and all_alike:  # else the setting would be wrong for another topic
        fix = f"set HUBBUB_KAFKA__PARTITIONS={have} if that is intended, or {fix}"
    yield Problem(topic_name, f"it has {have} partitions and needs {want}", fix)


def _replicas(
    topic_name: str, here: TopicDescription, replication: int, brokers: Sequence[int], servers: str
) -> Iterator[Problem]:
    # A set, because the embedded broker lists itself three times.
    fewest = min((len(set(replicas)) for replicas in here.replicas), default=0)
    if fewest >= replication:
        return
    fix = f"the cluster has {len(brokers)} broker(s): add more, or set HUBBUB_KAFKA__REPLICATION={fewest}"
    if len(brokers) >= replication:
        moves = [
            {
                "topic": topic_name,
                "partition": partition,
                "replicas": [*replicas, *(other for other in brokers if other not in replicas)][:replication],
            }
            for partition, replicas in enumerate(here.replicas)
        ]
        fix = (
            f"run: echo '{json.dumps({'version': 1, 'partitions': moves})}' > more-replicas.json && "
            f"kafka-reassign-partitions.sh --bootstrap-server {servers} "
            "--reassignment-json-file more-replicas.json --execute"
        )
    yield Problem(topic_name, f"it has {fewest} copies of a record and needs {replication}", fix)


def _settings(topic_name: str, wanted: Mapping[str, str], here: TopicDescription, servers: str) -> Iterator[Problem]:
    for setting in ("cleanup.policy", *sorted(AT_LEAST)):
        want, have = wanted.get(setting), here.settings.get(setting)
        if want is None or have == want:
            continue
        if have is None:
            what = f"{setting} cannot be checked on this broker"
            yield Problem(topic_name, what, f"it should be {want}", unverified=True)
        elif setting not in AT_LEAST or 0 <= int(have) < int(want):  # -1 is without limit
            change = f"kafka-configs.sh --bootstrap-server {servers} --alter --topic {topic_name}"
            fix = f"run: {change} --add-config {setting}={want}"
            yield Problem(topic_name, f"{setting} is {have} and must be {want}", fix)
