"""How many new posts per second one core matches to stories, and the memory of the stories.

Run: python -m benchmarks.bench_matcher.

As in the pipeline, many posts are read, and then decided one after the other. They are generated. Each story has words
of its own, most of them rare. Each post has some of these among common words. Half of the posts begin a story.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from itertools import accumulate, islice
from pathlib import Path

from hubbub.process.run_role import COLLECT_AFTER
from ingest.signal import Signal
from streams.resolve.matching.beats import load_beat
from streams.resolve.matching.matcher import Matcher

STORIES = 20_000
POSTS, AT_ONCE = 10_000, 200
WORDS = 60_000
START_MS = 1_767_225_600_000
STEP_MS = 2_000
SYLLABLES = [first + second for first in "bcdfghklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er", "ol")]


class Newsroom:
    """Generates posts. The same seed gives the same posts."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words = ["".join(self._random.choices(SYLLABLES, k=self._random.randint(1, 4))) for _ in range(WORDS)]
        self._words = list(dict.fromkeys(words))
        # Zipf's law, flattened at the top, because stop words cost little.
        self._shares = list(accumulate(1 / (rank + 200) for rank in range(len(self._words))))
        self._stories: list[list[str]] = []
        self._number = 0

    def posts(self, share_of_new: float) -> Iterator[Signal]:
        """Yield posts without end. ``share_of_new``: the share that begins a story."""
        pick = self._random
        while True:
            if not self._stories or pick.random() < share_of_new:
                self._stories.append(pick.choices(self._words, cum_weights=self._shares, k=8))
            story = self._stories[-1 - min(int(pick.expovariate(1 / 300)), len(self._stories) - 1)]
            said = pick.sample(story, 5) + pick.choices(self._words, cum_weights=self._shares, k=5)
            self._number += 1
            at_ms = START_MS + self._number * STEP_MS
            identity = f"bench:{self._number}"
            yield Signal(
                id=identity, kind="post", platform="bench", thread=identity, title=" ".join(said),
                url=f"https://{said[0]}.example/{self._number}", created_ms=at_ms, observed_ms=at_ms,
            )  # fmt: skip


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Fill the index, then measure, with the garbage collector set as in the role."""
    gc.set_threshold(*COLLECT_AFTER)
    matcher, newsroom = Matcher(load_beat("general")), Newsroom(1)
    before = resident()
    for signal in newsroom.posts(0.9):
        if len(matcher) >= STORIES:
            break
        matcher.decide(signal, signal.observed_ms)
    bytes_each = (resident() - before) // len(matcher)
    seconds = 0.0
    for _ in range(POSTS // AT_ONCE):
        batch = list(islice(newsroom.posts(0.5), AT_ONCE))
        began = time.process_time()
        read = [matcher.read(signal) for signal in batch]
        for signal, reading in zip(batch, read, strict=True):
            matcher.decide(signal, signal.observed_ms, reading)
        seconds += time.process_time() - began
    rate = round(POSTS / seconds)
    result = {"stories": len(matcher), "posts": POSTS, "posts_per_second": rate, "bytes_per_story": bytes_each}
    emitted = f"{rate:,} new posts/s with {len(matcher):,} live stories of {bytes_each:,} bytes"
    print(json.dumps(result) if "--json" in sys.argv else emitted)


if __name__ == "__main__":
    main()
