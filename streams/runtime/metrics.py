"""Every metric of the stream processors, in one place.

Owns names, units and labels. Labels take values from closed lists only, so that hostile input cannot create series.
The stage ``serve`` has its own metrics in :mod:`streams.serve.metrics`.
"""

from prometheus_client import Counter, Gauge, Histogram

# Every record read ends used, ignored or dead: read = used + ignored + dead + waiting.
RECORDS_READ = Counter("hubbub_records_read_total", "Records read from a topic.", ["stage"])
RECORDS_USED = Counter("hubbub_records_used_total", "Records assigned to a story.", ["stage"])
RECORDS_IGNORED = Counter("hubbub_records_ignored_total", "Valid records not used, by reason.", ["stage", "reason"])
DEAD_LETTERS = Counter("hubbub_dead_letters_total", "Records written to dead-letters, by reason.", ["stage", "reason"])
WAITING = Gauge("hubbub_records_waiting", "Records waiting for a decision or for their root post.", ["stage"])

LAG = Gauge("hubbub_lag_records", "Records that this stage has not read yet; NaN: not known.", ["stage", "partition"])
WATERMARK_AGE = Gauge(
    "hubbub_watermark_age_seconds", "Seconds that event time is behind the clock; below 0: ahead.", ["stage"]
)

CANDIDATES_DECIDED = Counter(
    "hubbub_candidates_decided_total", "New root posts decided, by what decided.", ["stage", "how"]
)
STORIES_LIVE = Gauge("hubbub_stories_live", "Live stories held in memory.", ["stage"])

END_TO_END = Histogram(
    "hubbub_end_to_end_latency_seconds",
    "Seconds from a signal's observation to the acknowledgement of the score it changed (of several, the earliest).",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300),
)
SCORES_EMITTED = Counter("hubbub_scores_emitted_total", "Scores written to the score topic.")
EVENTS_EMITTED = Counter("hubbub_events_emitted_total", "Events written to the event topic, by type.", ["type"])

ASSESSOR_REQUESTS = Counter(
    "hubbub_assessor_requests_total", "Requests to the assessing endpoint, by outcome.", ["outcome"]
)
ASSESSOR_FALLBACKS = Counter(
    "hubbub_assessor_fallbacks_total", "Stories assessed by the offline assessor instead, by reason.", ["reason"]
)
ASSESSOR_BUDGET = Gauge(
    "hubbub_assessor_budget_requests", "Requests left in the budget of the assessing endpoint, by window.", ["window"]
)
for _outcome in ("answered", "throttled", "refused", "server_error", "timed_out", "unreachable", "unreadable"):
    ASSESSOR_REQUESTS.labels(_outcome)
for _reason in ("failure", "pause", "budget", "queue"):
    ASSESSOR_FALLBACKS.labels(_reason)
