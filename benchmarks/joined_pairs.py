"""Which posts of an unlabelled recording are in one story. Run: python -m benchmarks.joined_pairs RECORDING [TOPICS].

TOPICS is a file of topics that another system has found in the recording. Each line is a JSON object with a ``name``
and the ids of its ``signals``. The report has the share of the pairs within a topic that are in one story.
``--pairs N`` prints N random pairs of posts that are in one story, to be judged by reading.
"""

from __future__ import annotations

import argparse
import gzip
import random
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import msgspec

from hubbub.evaluate.stories.evaluation import gather
from hubbub.recordings import read_recordings
from ingest.signal import InvalidSignalError, Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher

SHOWN_CHARS = 400


class Topic(msgspec.Struct):
    """Signals that another system has put together."""

    name: str
    signals: tuple[str, ...]


def shares(topics: list[Topic], story_of: dict[str, str]) -> tuple[int, int, int]:
    """Return how many topics have two or more signals, their pairs, and how many pairs are in one story."""
    known = [[story_of[signal] for signal in topic.signals if signal in story_of] for topic in topics]
    pairs = [pair for stories in known for pair in combinations(stories, 2)]
    return sum(len(stories) > 1 for stories in known), len(pairs), sum(one == other for one, other in pairs)


def drawn(story_of: dict[str, str], count: int, seed: int) -> list[tuple[str, str]]:
    """Return ``count`` pairs of signals that share a story, drawn uniformly."""
    stories: dict[str, list[str]] = defaultdict(list)
    for signal, story in story_of.items():
        stories[story].append(signal)
    shared = [signals for signals in stories.values() if len(signals) > 1]
    chance = random.Random(seed)
    pairs: set[tuple[str, str]] = set()
    weights = [len(signals) * (len(signals) - 1) // 2 for signals in shared]
    while len(pairs) < min(count, sum(weights)):
        one, other = sorted(chance.sample(chance.choices(shared, weights)[0], 2))
        pairs.add((one, other))
    return sorted(pairs)


def one_line(signal: Signal) -> str:
    """Return the text of ``signal`` on one line."""
    words = " ".join(f"{signal.title or ''} | {signal.text or ''}".split())
    return f"[{signal.id}] {words[:SHOWN_CHARS]} {signal.url or ''}"


def _refuse(file: Path, number: int, error: InvalidSignalError) -> None:
    raise SystemExit(f"{file.name}, line {number} is no signal: {error}")


def main() -> None:
    """Gather the recording, and print the figures and pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("topics", type=Path, nargs="?")
    parser.add_argument("--beat", default="ai", help="only posts relevant to this beat")
    parser.add_argument("--pairs", type=int, default=0, help="pairs to print")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    beat = load_beat(options.beat)
    signals = {
        signal.id: signal for signal, _ in read_recordings([options.recording], _refuse) if beat.relevant(signal)
    }
    story_of = gather(signals.values(), Matcher(beat)).final
    sizes: dict[str, int] = defaultdict(int)
    for story in story_of.values():
        sizes[story] += 1
    largest = sorted(sizes.values(), reverse=True)[:10]
    print(f"{len(story_of):,} posts in {len(sizes):,} stories, the largest of {', '.join(map(str, largest))}")
    if options.topics:
        with gzip.open(options.topics) as lines:
            topics = [msgspec.json.decode(line, type=Topic) for line in lines]
        linked, pairs, together = shares(topics, story_of)
        print(f"{linked} topics with two posts and more: {together} of {pairs} pairs together ({together / pairs:.1%})")
    for number, (one, other) in enumerate(drawn(story_of, options.pairs, options.seed), 1):
        print(f"\n{number}\n  {one_line(signals[one])}\n  {one_line(signals[other])}")


if __name__ == "__main__":
    main()
