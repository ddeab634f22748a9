"""The right to write: given by the group's answers, gone when they stay away, whatever hangs meanwhile."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from streams.lease import SHARE, Lease, LeaseLostError

SESSION_SECONDS = 0.2


async def test_nobody_writes_before_the_group_has_said_that_he_may() -> None:
    lease = Lease(SESSION_SECONDS)
    with pytest.raises(LeaseLostError):
        lease.check()
    lease.renew()
    lease.check()
    await asyncio.sleep(SHARE * SESSION_SECONDS)
    with pytest.raises(LeaseLostError, match="has said nothing for 0"):
        lease.check()


async def test_a_write_that_hangs_ends_with_the_lease_and_goes_on_while_it_is_renewed() -> None:
    lease = Lease(SESSION_SECONDS)
    lease.renew()

    async def renew() -> None:
        for _ in range(8):
            await asyncio.sleep(SESSION_SECONDS / 8)
            lease.renew()

    renewing = asyncio.create_task(renew())
    assert await lease.during(asyncio.sleep(SESSION_SECONDS, "written")) == "written"
    await renewing
    began = time.monotonic()
    with pytest.raises(LeaseLostError):
        await lease.during(asyncio.Event().wait())
    assert time.monotonic() - began < 2 * SESSION_SECONDS


async def test_only_answered_heartbeats_count_and_from_when_they_were_sent() -> None:
    answers, rejoin = iter((True, False, True)), asyncio.get_running_loop().create_future()

    async def do_heartbeat() -> bool:
        await asyncio.sleep(0.8 * SHARE * SESSION_SECONDS)
        return next(answers)

    consumer = SimpleNamespace(_coordinator=SimpleNamespace(_do_heartbeat=do_heartbeat, _rejoin_needed_fut=rejoin))
    lease = Lease(SESSION_SECONDS)
    lease.renew_by(consumer)
    assert await consumer._coordinator._do_heartbeat()
    lease.check()
    assert not await consumer._coordinator._do_heartbeat()
    with pytest.raises(LeaseLostError):
        lease.check()
    rejoin.set_result(None)  # the group forms anew
    assert await consumer._coordinator._do_heartbeat()
    with pytest.raises(LeaseLostError):
        lease.check()
