"""Every metric of the role ``serve``, in one place.

Owns names, units and labels. Label values come from closed lists (topics, routes, reasons), never from untrusted users.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# All records read from a topic.
READ: Final = Counter("hubbub_serve_records_read", "Records read", ["topic"])
# The records among them that are not a NoiseScore or NoiseEvent. Above zero: a producer breaks the contract.
SKIPPED: Final = Counter(
    "hubbub_serve_records_skipped", "Records skipped because they break the contract", ["topic", "reason"]
)
# Records between the last one read and the end of the topic, as of the last fetch. Growing: serve is too slow.
BEHIND: Final = Gauge(
    "hubbub_serve_behind_records", "Records not read yet; NaN while the topic cannot be read", ["topic"]
)
# How often a topic had to be opened again. Rising: the broker comes and goes, or the topic lost records.
RESTARTS: Final = Counter("hubbub_serve_topic_restarts", "Times a topic was opened again", ["topic", "reason"])
# Live stories: one for each key of noise-scores whose newest record is not a tombstone.
STORIES: Final = Gauge("hubbub_serve_stories", "Live stories")
# Now less the time of the newest score, in real time; while there is none, since serve started. Alert on this metric:
# it rises whichever stage is stuck.
NEWEST_SCORE_AGE: Final = Gauge("hubbub_serve_newest_score_age_seconds", "Age of the newest score")
# Only of records that arrive after the first read of the topic.
SCORE_DELAY: Final = Histogram(
    "hubbub_serve_score_delay_seconds",
    "From the time of a score until serve shows it",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
# WebSocket clients: those connected, those dropped by reason, messages sent, and events not sent to slow clients.
CLIENTS: Final = Gauge("hubbub_serve_clients", "WebSocket clients connected")
CLIENTS_DROPPED: Final = Counter("hubbub_serve_clients_dropped", "WebSocket clients refused or dropped", ["reason"])
MESSAGES: Final = Counter("hubbub_serve_messages_sent", "WebSocket messages sent", ["type"])
EVENTS_MISSED: Final = Counter("hubbub_serve_events_missed", "Events not sent because a client was slow")
# HTTP requests by route pattern (never by path, which clients choose) and status.
REQUEST_SECONDS: Final = Histogram(
    "hubbub_serve_request_seconds",
    "Time to answer a request, without the time to read it",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
