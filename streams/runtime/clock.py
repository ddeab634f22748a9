"""The clocks of a role, passed in so that tests and simulations can set the time."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """``now_ms``: UTC epoch milliseconds. ``monotonic``: seconds that never go back, for durations."""

    now_ms: Callable[[], int]
    monotonic: Callable[[], float] = time.monotonic
