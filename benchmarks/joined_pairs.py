"""Which posts of an unlabelled recording are in one story. Run: python -m benchmarks.joined_pairs RECORDING [TOPICS].

``--pairs N`` prints N pairs of posts that are in one story, to be judged by reading. They are drawn by story: every
story is equally likely. N more are drawn by pair: every pair is equally likely, so large stories count most. The same
``--seed`` draws the same pairs. ``--write FILE`` writes them as lines to label, for ``hubbub eval pairs``.

TOPICS is a file of topics that another system has found in the recording. Each line is a JSON object with a ``name``
and the ids of its ``signals``. The report has the share of the pairs within a topic that are in one story.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import msgspec

from hubbub.cli.output import strip_controls
from hubbub.evaluate.pairs.evaluation import read_posts, relevant
from hubbub.evaluate.stories.evaluation import gather
from hubbub.recordings import read_lines
from ingest.signal import Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher

SHOWN_CHARS = 400

Pair = tuple[str, str]


class Topic(msgspec.Struct):
    """Signals that another system has put together."""

    name: str
    signals: tuple[str, ...]


def shares(topics: list[Topic], story_of: dict[str, str]) -> tuple[int, int, int]:
    """Return how many topics have two or more signals, their pairs, and how many pairs are in one story."""
    known = [[story_of[signal] for signal in topic.signals if signal in story_of] for topic in topics]
    pairs = [pair for stories in known for pair in combinations(stories, 2)]
    return sum(len(stories) > 1 for stories in known), len(pairs), sum(one == other for one, other in pairs)


def shared_stories(story_of: dict[str, str]) -> list[list[str]]:
    """Return the signals of each story that has two or more."""
    stories: dict[str, list[str]] = defaultdict(list)
    for signal, story in story_of.items():
        stories[story].append(signal)
    return [signals for signals in stories.values() if len(signals) > 1]


def drawn_by_story(stories: list[list[str]], count: int, seed: int) -> list[Pair]:
    """Return a pair from each of ``count`` stories, or from all if there are fewer. Each story is as likely."""
    chance = random.Random(seed)
    return [_pair(chance, story) for story in chance.sample(stories, min(count, len(stories)))]


def drawn_by_pair(stories: list[list[str]], count: int, seed: int) -> list[Pair]:
    """Return ``count`` pairs, or all if there are fewer. Each pair of signals that share a story is as likely."""
    chance = random.Random(seed)
    pairs: dict[Pair, None] = {}
    weights = [len(signals) * (len(signals) - 1) // 2 for signals in stories]
    while len(pairs) < min(count, sum(weights)):
        pairs[_pair(chance, chance.choices(stories, weights)[0])] = None
    return list(pairs)


def _pair(chance: random.Random, signals: list[str]) -> Pair:
    one, other = chance.sample(signals, 2)
    return (one, other) if one <= other else (other, one)


def one_line(signal: Signal) -> str:
    """Return on one line when, where, by whom and what ``signal`` says."""
    at = datetime.fromtimestamp(signal.created_ms / 1_000, UTC)
    place = signal.community.name if signal.community else None
    author = signal.author.name if signal.author else None
    words = " ".join(f"{signal.title or ''} | {signal.text or ''}".split())[:SHOWN_CHARS]
    parts = (f"{at:%m-%d %H:%M}", place and f"in {place}", author and f"by {author}", words, signal.url)
    return strip_controls(f"[{signal.id}] " + " ".join(part for part in parts if part))


def to_label(pairs: Iterable[tuple[str, Pair]]) -> bytes:
    """Return a line for each pair and its way of drawing; write whether the two belong together in place of null."""
    rows = [{"a": one, "b": other, "same": None, "drawn": way} for way, (one, other) in pairs]
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def main() -> None:
    """Gather the recording, and print the figures and pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("topics", type=Path, nargs="?")
    parser.add_argument("--beat", default="ai", help="only posts relevant to this beat")
    parser.add_argument("--pairs", type=int, default=0, help="pairs to print, by story and as many by pair")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="a file for the pairs as lines to label")
    options = parser.parse_args()
    beat = load_beat(options.beat)
    signals = read_posts(options.recording)
    story_of = gather(relevant(signals.values(), beat), Matcher(beat)).final
    stories = shared_stories(story_of)
    largest = sorted(map(len, stories), reverse=True)[:10]
    print(f"{len(story_of):,} posts in {len(set(story_of.values())):,} stories, {len(stories):,} of two posts or more")
    print(f"the largest have {', '.join(map(str, largest))} posts")
    if options.topics:
        topics = [msgspec.json.decode(line, type=Topic) for _, line in read_lines(options.topics)]
        linked, pairs, together = shares(topics, story_of)
        print(f"{linked} topics with two posts and more: {together} of {pairs} pairs together ({together / pairs:.1%})")
    drawn = [("by story", pair) for pair in drawn_by_story(stories, options.pairs, options.seed)]
    drawn += [("by pair", pair) for pair in drawn_by_pair(stories, options.pairs, options.seed)]
    for number, (way, (one, other)) in enumerate(drawn, 1):
        print(f"\n{number} {way}\n  {one_line(signals[one])}\n  {one_line(signals[other])}")
    if options.write:
        options.write.write_bytes(to_label(drawn))


if __name__ == "__main__":
    main()
