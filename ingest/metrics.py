"""Every metric of the collectors, in one place.

Owns names, labels and help, in base units and with the usual suffixes. The prefix ``hubbub_collect_`` keeps them apart
from the metrics of the stream processors, which may run in the same process.

The account adds up: items read = signals published + records ignored + dead letters.
"""

from prometheus_client import Counter, Gauge, Histogram

from ingest.batch import Ignored
from ingest.errors import RETRY_POLICIES

_BY_COLLECTOR = ["collector"]

ITEMS_READ = Counter(
    "hubbub_collect_items_read_total", "Items the platform gave, again or for the first time", _BY_COLLECTOR
)
SIGNALS_COLLECTED = Counter("hubbub_collect_signals_total", "Signals made of items", _BY_COLLECTOR)
SIGNALS_PUBLISHED = Counter(
    "hubbub_collect_signals_published_total", "Signals the broker has acknowledged", _BY_COLLECTOR
)
RECORDS_IGNORED = Counter("hubbub_collect_records_ignored_total", "Items left out on purpose", ["collector", "reason"])
DEAD_LETTERS = Counter(
    "hubbub_collect_dead_letters_total",
    "Items that could not be used, kept in the topic dead-letters",
    ["collector", "stage", "reason"],
)
GAPS = Counter(
    "hubbub_collect_gaps_total",
    "Polls whose listing ended before a known item: items were missed between polls",
    _BY_COLLECTOR,
)
MISSED = Counter(
    "hubbub_collect_missed_items_total",
    "Estimated number of items missed between polls, where the platform's listings allow an estimate",
    _BY_COLLECTOR,
)
FAILURES = Counter(
    "hubbub_collect_failures_total", "Failures by the retry policy that was applied", ["collector", "verdict"]
)
RATE_LIMIT_WAITS = Counter(
    "hubbub_collect_rate_limit_waits_total", "Requests that waited for the rate limiter", _BY_COLLECTOR
)
RATE_LIMIT_WAIT_SECONDS = Counter(
    "hubbub_collect_rate_limit_wait_seconds_total", "Time that requests waited for the rate limiter", _BY_COLLECTOR
)
COLLECT_SECONDS = Histogram(
    "hubbub_collect_duration_seconds", "Time to get one batch from the platform, including waits", _BY_COLLECTOR
)
PUBLISH_SECONDS = Histogram(
    "hubbub_collect_publish_duration_seconds",
    "Time until the broker acknowledged a batch and its cursor: the back-pressure from Kafka",
    _BY_COLLECTOR,
)
WATCHED_ITEMS = Gauge("hubbub_collect_watched_items", "Items that are polled again for their counts", _BY_COLLECTOR)
BUDGET_LIMIT = Gauge(
    "hubbub_collect_budget_limit",
    "What a collector may spend at its platform, in the unit and period that the label budget names",
    ["collector", "budget"],
)
BUDGET_SPENT = Gauge(
    "hubbub_collect_budget_spent",
    "What a collector has spent or reserved of its budget in the current period",
    ["collector", "budget"],
)
LAST_SUCCESS_AGE_SECONDS = Gauge(
    "hubbub_collect_last_success_age_seconds", "Time since a batch was collected and published", _BY_COLLECTOR
)
CURSOR_AGE_SECONDS = Gauge(
    "hubbub_collect_cursor_age_seconds", "Time since the saved cursor was last known to be current", _BY_COLLECTOR
)
ITEMS_PER_HOUR = Gauge(
    "hubbub_collect_new_items_per_hour", "New items an hour, over the hours that were compared", _BY_COLLECTOR
)
USUAL_ITEMS_PER_HOUR = Gauge(
    "hubbub_collect_usual_items_per_hour",
    "New items an hour that are usual at this time of the week; 0 while too little is known",
    _BY_COLLECTOR,
)
INCOMPLETE_SOURCES = Gauge(
    "hubbub_collect_incomplete_sources",
    "Sources (all of the collector, and each community) that are silent, or give less than is usual",
    ["collector", "completeness"],
)
WEBHOOK_ANSWERS = Counter("hubbub_collect_webhook_answers_total", "Answers of the webhook to its senders", ["status"])
READY = Gauge("hubbub_collect_ready", "1 if the collector collects and nothing is wrong, else 0", _BY_COLLECTOR)

VERDICTS = (*RETRY_POLICIES.values(), "kafka", "unexpected")
"""The values of the label ``verdict``: the retry policies, the broker's failures, and our own faults."""


def register(collector: str) -> None:
    """Create the series of ``collector`` at 0, so that a rate can be taken of the first event."""
    for metric in (
        ITEMS_READ,
        SIGNALS_COLLECTED,
        SIGNALS_PUBLISHED,
        GAPS,
        MISSED,
        RATE_LIMIT_WAITS,
        RATE_LIMIT_WAIT_SECONDS,
    ):
        metric.labels(collector)
    for reason in Ignored:
        RECORDS_IGNORED.labels(collector, reason.value)
    for verdict in VERDICTS:
        FAILURES.labels(collector, verdict)


def unregister(collector: str) -> None:
    """Remove the gauges of a collector that is no longer to run. Its counters stay."""
    for gauge in (
        WATCHED_ITEMS,
        BUDGET_LIMIT,
        BUDGET_SPENT,
        LAST_SUCCESS_AGE_SECONDS,
        CURSOR_AGE_SECONDS,
        ITEMS_PER_HOUR,
        USUAL_ITEMS_PER_HOUR,
        INCOMPLETE_SOURCES,
        READY,
    ):
        gauge.remove_by_labels({"collector": collector})
