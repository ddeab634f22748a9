"""Every metric of the role ``serve``, in one place.

Owns names, units and labels. Label values come from closed lists (topics, routes, reasons), never from strangers.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "BEHIND",
    "CLIENTS",
    "CLIENTS_DROPPED",
    "EVENTS_MISSED",
    "MESSAGES",
    "NEWEST_SCORE_AGE",
    "READ",
    "REQUEST_SECONDS",
    "RESTARTS",
    "SCORE_DELAY",
    "SKIPPED",
    "STORIES",
]

# Records read from a topic, whatever became of them.
READ: Final = Counter("hubbub_serve_records_read", "Records read", ["topic"])
# Of these, the ones that are no NoiseScore or NoiseEvent. Above zero: a producer breaks the contract.
SKIPPED: Final = Counter("hubbub_serve_records_skipped", "Records skipped, as unreadable", ["topic", "reason"])
# Records between what has been read and the end of the topic, as the broker told it last. Growing: serve is too slow.
BEHIND: Final = Gauge("hubbub_serve_behind_records", "Records not read yet", ["topic"])
# How often a topic had to be opened anew. Rising: the broker comes and goes, or the topic lost records.
RESTARTS: Final = Counter("hubbub_serve_topic_restarts", "Times a topic was opened anew", ["topic", "reason"])
# Stories on the board: one for each key of noise-scores that has not ended in a tombstone.
STORIES: Final = Gauge("hubbub_serve_stories", "Stories on the board")
# Now less the time of the newest score, in real time; while there is none, since serve began. The one number to alert
# on: it rises whatever stage is stuck.
NEWEST_SCORE_AGE: Final = Gauge("hubbub_serve_newest_score_age_seconds", "Age of the newest score")
# From scored to on the board; only of records that arrive after the first reading of the topic.
SCORE_DELAY: Final = Histogram(
    "hubbub_serve_score_delay_seconds",
    "From the time a score was made to its being on the board",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
# WebSocket clients: now, those dropped (too_slow), messages sent, and events a slow client was not told.
CLIENTS: Final = Gauge("hubbub_serve_clients", "WebSocket clients connected")
CLIENTS_DROPPED: Final = Counter("hubbub_serve_clients_dropped", "WebSocket clients sent away", ["reason"])
MESSAGES: Final = Counter("hubbub_serve_messages_sent", "WebSocket messages sent", ["type"])
EVENTS_MISSED: Final = Counter("hubbub_serve_events_missed", "Events left out because a client was slow")
# HTTP requests by route pattern (never by path, which strangers choose) and status.
REQUEST_SECONDS: Final = Histogram(
    "hubbub_serve_request_seconds",
    "Time to answer a request, without the time of reading it",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
