"""Every metric of the stream processors, in one place.

Owns the names, units and labels. Labels take values from closed lists only, so that no stranger can make series.
The stage ``serve`` has its own in :mod:`streams.serve.metrics`.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "ASSESSOR_BUDGET",
    "ASSESSOR_FALLBACKS",
    "ASSESSOR_REQUESTS",
    "CANDIDATES_DECIDED",
    "DEAD_LETTERS",
    "END_TO_END",
    "EVENTS_EMITTED",
    "LAG",
    "RECORDS_IGNORED",
    "RECORDS_READ",
    "RECORDS_USED",
    "SCORES_EMITTED",
    "STORIES_LIVE",
    "WAITING",
    "WATERMARK_AGE",
]

# Every record read ends used, ignored or dead: read = used + ignored + dead, whenever nothing is waiting.
RECORDS_READ = Counter("hubbub_records_read_total", "Records read from a topic.", ["stage"])
RECORDS_USED = Counter("hubbub_records_used_total", "Records that went on to a story.", ["stage"])
RECORDS_IGNORED = Counter("hubbub_records_ignored_total", "Good records not used, by reason.", ["stage", "reason"])
DEAD_LETTERS = Counter("hubbub_dead_letters_total", "Records given up as dead letters.", ["stage", "reason"])
WAITING = Gauge("hubbub_records_waiting", "Records that wait for a decision or for their root post.", ["stage"])

LAG = Gauge("hubbub_lag_records", "Records in the topic that this stage has not read.", ["stage", "partition"])
WATERMARK_AGE = Gauge("hubbub_watermark_age_seconds", "How far event time is behind the clock.", ["stage"])

CANDIDATES_DECIDED = Counter("hubbub_candidates_decided_total", "New posts given a story, by how.", ["stage", "how"])
STORIES_LIVE = Gauge("hubbub_stories_live", "Stories held in memory.", ["stage"])

END_TO_END = Histogram(
    "hubbub_end_to_end_latency_seconds",
    "From the observation of a signal to the broker's acknowledgement of the score it changed; of several, the first.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300),
)
SCORES_EMITTED = Counter("hubbub_scores_emitted_total", "Scores written to the score topic.")
EVENTS_EMITTED = Counter("hubbub_events_emitted_total", "Events written to the event topic, by type.", ["type"])

ASSESSOR_REQUESTS = Counter("hubbub_assessor_requests_total", "Requests to the assessing endpoint.", ["outcome"])
ASSESSOR_FALLBACKS = Counter(
    "hubbub_assessor_fallbacks_total", "Times a story was left to the offline assessor, by reason.", ["reason"]
)
ASSESSOR_BUDGET = Gauge("hubbub_assessor_budget_requests", "Requests left to the assessing endpoint.", ["window"])
for _outcome in ("answered", "throttled", "refused", "server_error", "timed_out", "unreachable", "unreadable"):
    ASSESSOR_REQUESTS.labels(_outcome)
for _reason in ("failure", "pause", "budget", "queue"):
    ASSESSOR_FALLBACKS.labels(_reason)
