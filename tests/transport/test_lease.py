"""The right to write: given by the group's answers, gone when they stay away, whatever hangs meanwhile."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from transport.lease import SHARE, Lease, LeaseLostError

SESSION_SECONDS = 0.2


async def test_nobody_writes_before_the_group_has_said_that_he_may() -> None:
    lease = Lease(SESSION_SECONDS)
    with pytest.raises(LeaseLostError):
        lease.check()
    lease.renew(time.monotonic())
    lease.check()
    await asyncio.sleep(SHARE * SESSION_SECONDS)
    with pytest.raises(LeaseLostError, match="has said nothing for 0"):
        lease.check()


async def test_a_write_that_hangs_ends_with_the_lease_and_goes_on_while_it_is_renewed() -> None:
    lease = Lease(SESSION_SECONDS)
    lease.renew(time.monotonic())

    async def renew() -> None:
        for _ in range(8):
            await asyncio.sleep(SESSION_SECONDS / 8)
            lease.renew(time.monotonic())

    renewing = asyncio.create_task(renew())
    assert await lease.during(asyncio.sleep(SESSION_SECONDS, "written")) == "written"
    await renewing
    began = time.monotonic()
    with pytest.raises(LeaseLostError):
        await lease.during(asyncio.Event().wait())
    assert time.monotonic() - began < 2 * SESSION_SECONDS


async def test_only_plain_answers_count_and_from_when_they_were_asked_for() -> None:
    heartbeat, answers = HeartbeatRequest("group", 1, "member"), iter((0, 27, 0, 0))

    async def send_req(_: object) -> SimpleNamespace:
        await asyncio.sleep(0.8 * SHARE * SESSION_SECONDS)
        return SimpleNamespace(error_code=next(answers))

    consumer = SimpleNamespace(_coordinator=SimpleNamespace(_send_req=send_req))
    lease = Lease(SESSION_SECONDS)
    lease.renew_by(consumer)
    await consumer._coordinator._send_req(heartbeat)
    lease.check()
    await consumer._coordinator._send_req(heartbeat)  # the group forms anew
    with pytest.raises(LeaseLostError):
        lease.check()
    await consumer._coordinator._send_req(SyncGroupRequest("group", 2, "member", "", []))
    lease.check()
    await asyncio.sleep(0.3 * SHARE * SESSION_SECONDS)
    with pytest.raises(LeaseLostError):
        lease.check()
    await consumer._coordinator._send_req(OffsetFetchRequest("group", []))
    with pytest.raises(LeaseLostError):
        lease.check()
