"""How many signals per second one core decodes and encodes. Run: python -m benchmarks.bench_signal [--json]."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from ingest import signal

TYPICAL = json.dumps(
    {
        "v": 1,
        "id": "reddit:t3_18wuc1r",
        "kind": "post",
        "platform": "reddit",
        "thread": "reddit:t3_18wuc1r",
        "author": {"name": "lughnasadh", "followers": None},
        "community": {"name": "Futurology", "members": 21_800_000},
        "title": "A nearly finished bridge that nobody asked for opens to traffic, and the town is divided",
        "text": None,
        "url": "https://news.example.org/2024/01/02/bridge-opens-to-traffic",
        "permalink": "https://www.reddit.com/r/Futurology/comments/18wuc1r/a_nearly_finished_bridge/",
        "lang": None,
        "counts": {"likes": 1476, "replies": 211, "shares": None, "views": None, "like_ratio": 0.93},
        "created_ms": 1_704_210_000_000,
        "observed_ms": 1_704_213_600_000,
    },
    separators=(",", ":"),
).encode()
"""The example of the contract: a link post with every field of Reddit."""

ROUNDS = 20
CALLS = 25_000


def calls_per_second(call: Callable[[], object]) -> float:
    """Return the best of several rounds, by CPU time. Other processes disturb the rest."""
    best = 0.0
    for _ in range(ROUNDS):
        began_at = time.process_time()
        for _ in range(CALLS):
            call()
        best = max(best, CALLS / (time.process_time() - began_at))
    return best


def main() -> None:
    """Measure and print."""
    one = signal.decode(TYPICAL)
    figures = {
        "record_bytes": len(TYPICAL),
        "decodes_per_second": round(calls_per_second(lambda: signal.decode(TYPICAL, 1_704_213_600_000))),
        "encodes_per_second": round(calls_per_second(lambda: signal.encode(one))),
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:20} {figure:>10,}")


if __name__ == "__main__":
    main()
