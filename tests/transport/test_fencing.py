"""Fencing: the group's confirmations give the right to write, and their absence takes it away."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from transport.fencing import SESSION_SHARE, SILENT_SHARE, Lease, LeaseLostError
from transport.kafka import Consumer

SESSION_SECONDS = 10.0
LEASE_SECONDS = SESSION_SHARE * SESSION_SECONDS


class FakeClock:
    """A monotonic clock that the test moves."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_worker_may_write_only_after_the_group_has_confirmed_it_and_not_for_long() -> None:
    clock = FakeClock()
    lease = Lease(SESSION_SECONDS, clock)
    with pytest.raises(LeaseLostError):
        lease.check()
    lease.renew(clock.seconds)
    lease.check()
    clock.seconds += LEASE_SECONDS
    with pytest.raises(LeaseLostError, match=r"^the group has confirmed nothing for 7\.5 s"):
        lease.check()


def test_a_late_answer_to_an_early_request_does_not_shorten_the_lease() -> None:
    clock = FakeClock()
    lease = Lease(SESSION_SECONDS, clock)
    lease.renew(clock.seconds)
    lease.renew(clock.seconds - LEASE_SECONDS)
    lease.check()


def test_a_broker_that_misses_some_heartbeats_is_a_problem_before_the_lease_ends_and_until_it_answers() -> None:
    clock = FakeClock()
    lease = Lease(SESSION_SECONDS, clock)
    assert lease.problem(), "nothing was confirmed yet"
    lease.renew(clock.seconds)
    clock.seconds += SILENT_SHARE * SESSION_SECONDS
    assert lease.problem() == ""
    clock.seconds += 1
    lease.check()
    assert lease.problem() == "the broker has not answered for 5 s; check that it runs"
    lease.renew(clock.seconds)
    assert lease.problem() == ""


async def test_a_write_that_hangs_ends_with_the_lease() -> None:
    clock = FakeClock()
    lease = Lease(SESSION_SECONDS, clock)
    clock.seconds += LEASE_SECONDS - 0.01  # what is left is what the test waits for
    lease.renew(clock.seconds - LEASE_SECONDS + 0.01)
    writing = asyncio.ensure_future(lease.during(asyncio.Event().wait()))
    await asyncio.sleep(0)
    clock.seconds += 0.01
    with pytest.raises(LeaseLostError):
        await writing


async def test_a_write_outlasts_the_lease_it_began_with_if_that_is_renewed() -> None:
    clock = FakeClock()
    lease = Lease(SESSION_SECONDS, clock)
    lease.renew(clock.seconds)
    written = asyncio.Event()
    writing = asyncio.ensure_future(lease.during(written.wait()))
    for _ in range(3):
        await asyncio.sleep(0)
        clock.seconds += 0.9 * LEASE_SECONDS
        lease.renew(clock.seconds)
    written.set()
    assert await writing


async def test_only_successful_membership_answers_count_from_the_time_of_their_request() -> None:
    clock, codes = FakeClock(), iter((0, 27, 0, 0))

    async def send_req(_: object) -> SimpleNamespace:
        clock.seconds += 0.8 * LEASE_SECONDS
        return SimpleNamespace(error_code=next(codes))

    coordinator = SimpleNamespace(_send_req=send_req)
    lease = Lease(SESSION_SECONDS, clock)
    lease.renew_by(cast(Consumer, SimpleNamespace(_coordinator=coordinator)))
    send = vars(coordinator)["_send_req"]
    await send(HeartbeatRequest("group", 1, "member"))
    lease.check()
    await send(HeartbeatRequest("group", 1, "member"))  # 27: the group is rebalancing
    with pytest.raises(LeaseLostError):
        lease.check()
    await send(SyncGroupRequest("group", 2, "member", "", []))
    lease.check()
    clock.seconds += 0.3 * LEASE_SECONDS
    with pytest.raises(LeaseLostError):
        lease.check()
    await send(OffsetFetchRequest("group", []))
    with pytest.raises(LeaseLostError):
        lease.check()
