"""The metrics that all roles have in common.

Owns names and help. Must never know a role.
"""

from prometheus_client import Gauge

SETTINGS_RELOADED = Gauge(
    "hubbub_settings_last_reload_successful",
    "1 if the settings could be used when they were last read, else 0: the role works with older ones",
)
SETTINGS_RELOADED.set(1)
