"""Senders that are hostile or large: floods of headers and lines, bodies without a token, many at the same time."""

from __future__ import annotations

import asyncio
import time

import pytest

from ingest.loop import LoopOptions
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.lines import MAX_DEAD_SHARE, MIN_LINES, read_lines
from ingest.platforms.webhook.refusal import RefusedRequestError
from tests.ingest.platforms.webhook.hostile import FAULTS, head, raw
from tests.ingest.platforms.webhook.sending import TOKEN, ndjson, sent, webhook
from tests.ingest.sites import NOW_MS


async def test_ten_thousand_lines_are_taken_and_hold_up_no_one_else() -> None:
    async with webhook() as hook:
        posting = asyncio.create_task(hook.post(ndjson(*(sent(number) for number in range(10_000)))))
        while not posting.done():
            async with hook.session.get(hook.url("/healthz")) as healthy:
                assert healthy.status == 200
        assert posting.result().json == {"accepted": 10_000, "refused": []}
        assert len(hook.ids) == 10_000


async def test_one_line_more_is_too_many() -> None:
    async with webhook(request_max_items=50) as hook:
        answered = await hook.post(ndjson(*(sent(number) for number in range(51))))
        assert (answered.status, answered.code) == (413, "too_many_lines")
        assert hook.batches == []


async def test_a_body_past_the_limit_is_refused_though_its_length_is_not_stated() -> None:
    async with webhook(body_max_bytes=1_000) as hook:
        chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
        assert await raw(hook, head(None, Transfer_Encoding="chunked"), *[chunk] * 50, b"0\r\n\r\n") == 413


async def test_floods_of_headers_are_refused() -> None:
    async with webhook() as hook:
        many = head(2, **{f"X_{number}": "x" for number in range(1_000)})
        assert await raw(hook, many, b"{}") in {0, 400}
        assert await raw(hook, head(2, X_long="x" * 1_000_000), b"{}") in {0, 400}
        assert (await hook.post(sent(1))).status == 200


async def test_without_a_token_no_body_is_read() -> None:
    async with webhook() as hook:
        assert await raw(hook, head(4_000_000, token=None)) == 401
        assert await raw(hook, head(4_000_000, token="wrong")) == 401  # noqa: S106 (of the test)


async def test_bodies_that_never_come_leave_room_for_others_in_time() -> None:
    async with webhook(max_concurrent_requests=2, request_timeout_seconds=1) as hook:
        drips = [asyncio.ensure_future(FAULTS["slow answer"](hook)) for _ in range(2)]
        while hook.server._reading < 2:
            await asyncio.sleep(0)
        busy = await hook.post(sent(1))
        assert (busy.status, busy.headers["Retry-After"]) == (503, "5")
        await asyncio.gather(*drips)
        assert (await hook.post(sent(1))).status == 200


async def test_garbage_before_a_request_is_refused() -> None:
    async with webhook() as hook:
        assert await raw(hook, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100 + b"\r\n\r\n") in {0, 400}
        assert (await hook.post(sent(1))).status == 200


def test_the_loop_holds_back_no_batch_that_the_webhook_lets_through() -> None:
    assert LoopOptions().max_dead_share == MAX_DEAD_SHARE
    assert LoopOptions().dead_share_min_items == MIN_LINES


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "set token or signing_secret"),
        ({"token": "short"}, "at least 16"),
        ({"signing_secret": "whsec_short"}, "24 to 64 bytes"),
        ({"signing_secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "must be whsec_"),
        ({"token": TOKEN, "platforms": ["Not A Name"]}, "platforms"),
        ({"token": TOKEN, "port": 70_000}, "port"),
    ],
)
def test_wrong_options_are_refused_and_no_secret_is_shown(options: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        WebhookConfig.model_validate(options)
    shown = [error["msg"] for error in refused.value.errors()]  # type: ignore[attr-defined]  # what settings.py prints
    assert not any("short" in line or "MfKQ9r8" in line for line in shown)


async def test_converting_lines_gives_way_to_others() -> None:
    async with webhook() as hook:
        longest = 0.0
        posting = asyncio.create_task(hook.post(ndjson(*(sent(number, text="word " * 20) for number in range(8_000)))))
        while not posting.done():
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)
        assert posting.result().status == 200
        assert longest < 0.5  # of the processor, in one turn; 0.02 on a quiet machine


async def test_empty_lines_give_way_to_others_too() -> None:
    reading = asyncio.ensure_future(
        read_lines(b"\n" * 100_000, single=False, max_lines=1, witnessed_ms=NOW_MS, may_write=bool)
    )
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 900
    with pytest.raises(RefusedRequestError, match="no signal"):
        reading.result()
