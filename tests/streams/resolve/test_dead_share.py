"""The limit on the share of dead records: it stops a flood of them, and tolerates a few thousand."""

from __future__ import annotations

import pytest

from streams.resolve.config import ResolveConfig
from streams.resolve.dead_share import DeadShare, TooManyDeadError


def test_a_share_above_the_limit_raises_and_one_at_the_limit_does_not() -> None:
    share = DeadShare(0.5, 100)
    share.count(99, 99)
    with pytest.raises(TooManyDeadError, match=r"99 of the last 100 records are .* HUBBUB_RESOLVE__MAX_DEAD_SHARE"):
        share.count(1, 0)
    for _ in range(10):
        share.count(50, 25)


def test_by_default_ten_thousand_dead_records_do_not_stop_resolve() -> None:
    config = ResolveConfig()
    share = DeadShare(config.max_dead_share, config.dead_share_records)
    share.count(10_000, 10_000)
    share.count(10 * config.dead_share_records, 0)
    DeadShare(1.0, 10).count(10, 10)
