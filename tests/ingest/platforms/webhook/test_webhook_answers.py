"""What the webhook takes and what it answers: per line what was refused and why, and a 2xx only after the broker."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from ingest.platforms.webhook.collector import WebhookCollector
from ingest.platforms.webhook.config import WebhookConfig
from tests.eventually import eventually
from tests.ingest.fake_clock import FakeClock, context
from tests.ingest.platforms.webhook.sending import KEY, SECRET, TOKEN, ndjson, sent, sign, webhook
from tests.ingest.sites import NOW_MS


async def test_a_single_signal_is_taken() -> None:
    async with webhook() as hook:
        answered = await hook.post(sent(1))
        assert (answered.status, answered.json) == (200, {"accepted": 1, "refused": []})
        assert hook.ids == ["forum:1"]
        assert hook.signals[0].observed_ms == NOW_MS - 1_000


async def test_what_can_be_left_out_is_filled_in() -> None:
    short = {"id": "forum:9", "kind": "post", "platform": "forum", "created_ms": NOW_MS - 5_000}
    async with webhook() as hook:
        assert (await hook.post(short)).status == 200
        (found,) = hook.signals
        assert (found.thread, found.observed_ms, found.counts.likes) == ("forum:9", NOW_MS, None)


async def test_lines_are_answered_one_by_one() -> None:
    body = ndjson(
        sent(1),
        b"",
        b"not json",
        sent(2, counts={"likes": -1}),
        sent(3, id="reddit:t3_1", platform="reddit", thread="reddit:t3_1"),
        sent(4, kind="reply", thread="reddit:t3_1"),
        sent(5, created_ms=5),
        sent(6, id="elsewhere:6"),
        sent(7, created_ms=NOW_MS + 3 * 86_400_000, observed_ms=NOW_MS + 3 * 86_400_000),
        sent(8),
    )
    async with webhook() as hook:
        answered = await hook.post(body)
        assert answered.status == 200
        assert answered.json["accepted"] == 2
        assert answered.refused == [
            (3, "not_json"),
            (4, "bad_count"),
            (5, "platform_not_allowed"),
            (6, "platform_not_allowed"),
            (7, "bad_time"),
            (8, "bad_id"),
            (9, "bad_time"),
        ]
        assert hook.ids == ["forum:1", "forum:8"]
        # Each is kept as it was sent.
        assert hook.account.unreadable[0].original == b"not json"
        assert json.loads(hook.account.unreadable[1].original)["counts"] == {"likes": -1}


async def test_times_are_clamped_to_the_arrival_and_a_deleted_item_keeps_no_words() -> None:
    async with webhook() as hook:
        await hook.post(sent(1, created_ms=NOW_MS + 2_000, observed_ms=NOW_MS + 3_000))
        await hook.post(sent(2, deleted=True, text="words", url="https://a.example", counts={"likes": 3}))
        early, deleted = hook.signals
        assert (early.created_ms, early.observed_ms) == (NOW_MS, NOW_MS)
        assert deleted.deleted
        assert (deleted.title, deleted.text, deleted.url, deleted.author) == (None, None, None, None)
        assert deleted.counts.likes == 3


async def test_half_a_surrogate_pair_costs_a_character_and_no_signal() -> None:
    async with webhook() as hook:
        body = ndjson(sent(1, title="half \ud83d of 😀"), b'{"id": "\\ud83d", ', sent(2))
        answered = await hook.post(body)
        assert answered.refused == [(2, "not_json")]
        assert [found.title for found in hook.signals] == ["half ? of 😀", "Post 2"]


async def test_compressed_lines_are_taken() -> None:
    async with webhook() as hook:
        answered = await hook.post(gzip.compress(ndjson(sent(1), sent(2))), {"Content-Encoding": "gzip"})
        assert answered.json == {"accepted": 2, "refused": []}


async def test_one_bad_signal_is_a_422_and_a_dead_letter() -> None:
    async with webhook() as hook:
        answered = await hook.post({"id": "forum:1"})
        assert (answered.status, answered.code) == (422, "no_signals")
        assert answered.refused == [(1, "wrong_shape")]
        assert len(hook.account.unreadable) == 1


async def test_a_body_that_is_mostly_no_signals_is_refused_whole() -> None:
    """The loop holds such a batch back, and with it every other sender's lines."""
    async with webhook() as hook:
        answered = await hook.post(ndjson(*(b"?" for _ in range(2_500)), *(sent(n) for n in range(10))))
        assert (answered.status, answered.code) == (422, "no_signals")
        assert len(answered.refused) == 1_000
        assert answered.json["more_refused"] == 1_500
        assert hook.batches == []


async def test_bad_lines_of_many_requests_never_fill_a_batch() -> None:
    async with webhook(acknowledging=False) as hook:
        posts = [asyncio.create_task(hook.post(b"?" if n % 3 else sent(n))) for n in range(60)]
        await eventually(lambda: hook.collector._deliveries.waiting_items == 60)
        hook.broker.set()
        await asyncio.gather(*posts)
        assert hook.account.read == 60
        for batch in hook.batches:
            assert batch.signals.read < 20 or len(batch.signals.unreadable) <= batch.signals.read / 2


async def test_the_answer_comes_after_the_acknowledgement() -> None:
    async with webhook(acknowledging=False) as hook:
        posting = asyncio.create_task(hook.post(sent(1)))
        await eventually(lambda: hook.collector._deliveries.waiting_items == 1)
        later = asyncio.create_task(hook.post(sent(2)))
        await eventually(lambda: hook.collector._deliveries.waiting_items == 2)
        assert not posting.done()
        hook.broker.set()
        assert [(await posting).status, (await later).status] == [200, 200]
        assert hook.ids == ["forum:1", "forum:2"]


async def test_a_full_queue_and_a_slow_broker_ask_to_send_again() -> None:
    async with webhook(acknowledging=False, queue_max_items=3, publish_timeout_seconds=0.2) as hook:
        first = asyncio.create_task(hook.post(ndjson(sent(1), sent(2))))
        await eventually(lambda: hook.collector._deliveries.waiting_items == 2)
        full = await hook.post(ndjson(sent(3), sent(4)))
        assert (full.status, full.code, full.headers["Retry-After"]) == (503, "busy", "5")
        slow = await first
        assert (slow.status, slow.code) == (503, "busy")
        hook.broker.set()
        assert (await hook.post(ndjson(sent(3), sent(4)))).status == 200


async def test_stopping_asks_all_that_wait_to_send_again() -> None:
    async with webhook(acknowledging=False) as hook:
        posts = [asyncio.create_task(hook.post(sent(n))) for n in range(3)]
        await eventually(lambda: hook.collector._deliveries.waiting_items == 3)
        await hook.collector.aclose()
        assert {(await post).status for post in posts} == {503}


async def test_a_poll_that_is_cancelled_loses_nothing() -> None:
    async with webhook() as hook:
        hook.loop.cancel()
        posting = asyncio.create_task(hook.post(sent(1)))
        await eventually(lambda: hook.collector._deliveries.waiting_items)
        assert [found.id for found in (await anext(hook.collector)).signals.signals] == ["forum:1"]
        polling = asyncio.create_task(anext(hook.collector))
        assert (await posting).status == 200
        polling.cancel()
        posting = asyncio.create_task(hook.post(sent(2)))
        assert [found.id for found in (await anext(hook.collector)).signals.signals] == ["forum:2"]
        posting.cancel()


async def test_a_quiet_webhook_shows_that_it_listens() -> None:
    config = WebhookConfig.model_validate({"port": 0, "token": TOKEN})
    clock = FakeClock()
    collector = WebhookCollector(config, None, context(lambda: NOW_MS, clock), ())
    try:
        for _ in range(3):
            assert (await anext(collector)).signals.read == 0
        assert clock.now == 1_000 + 120
    finally:
        await collector.aclose()


async def test_a_signed_message_is_taken_once() -> None:
    body = ndjson(sent(1))
    async with webhook(token=None, signing_secret=SECRET) as hook:
        first = await hook.post(body, sign(body), token=None)
        again = await hook.post(body, sign(body), token=None)
        other = await hook.post(body, sign(body, "msg_2"), token=None)
        assert (first.status, again.status, other.status) == (200, 200, 200)
        assert again.json == {"accepted": 0, "refused": [], "replayed": True}
        assert hook.ids == ["forum:1", "forum:1"]


async def test_a_message_that_was_not_taken_may_be_sent_again() -> None:
    body = ndjson(sent(1))
    options = {"token": None, "signing_secret": SECRET, "publish_timeout_seconds": 0.1}
    async with webhook(acknowledging=False, **options) as hook:
        assert (await hook.post(body, sign(body), token=None)).status == 503
        hook.broker.set()
        assert (await hook.post(body, sign(body), token=None)).json["accepted"] == 1


async def test_a_message_that_is_just_being_taken_has_to_wait() -> None:
    body = ndjson(sent(1))
    async with webhook(acknowledging=False, token=None, signing_secret=SECRET) as hook:
        waiting = asyncio.create_task(hook.post(body, sign(body), token=None))
        await eventually(lambda: hook.collector._deliveries.waiting_items)
        meanwhile = await hook.post(body, sign(body), token=None)
        assert (meanwhile.status, meanwhile.headers["Retry-After"]) == (503, "1")
        hook.broker.set()
        assert (await waiting).status == 200
        assert (await hook.post(body, sign(body), token=None)).json["replayed"]
        assert hook.ids == ["forum:1"]


async def test_several_signatures_need_one_that_is_right() -> None:
    body = ndjson(sent(1))
    headers = sign(body)
    wrong = sign(body, key=bytes(32))["webhook-signature"]
    async with webhook(token=None, signing_secret=SECRET) as hook:
        both = await hook.post(body, headers | {"webhook-signature": f"v2,x {wrong} {headers['webhook-signature']}"})
        assert both.status == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no signature is right"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-id": "msg_other"}, "no signature is right"),
        ({"webhook-id": "x" * 300}, "at most 256"),
        ({"webhook-timestamp": "now"}, "seconds since 1970"),
        ({"webhook-timestamp": str(NOW_MS // 1000 - 301)}, "301 s away"),
        ({"webhook-timestamp": str(NOW_MS // 1000 + 301)}, "301 s away"),
    ],
)
async def test_a_wrong_signature_is_a_401_that_says_what_to_send(changes: dict[str, str], why: str) -> None:
    body = ndjson(sent(1))
    async with webhook(token=None, signing_secret=SECRET) as hook:
        answered = await hook.post(body, sign(body) | changes, token=None)
        message = str(answered.json["error"])
        assert answered.status == 401
        assert why in message
        assert "signing_secret" in message
        assert SECRET not in message
        assert hook.batches == []


async def test_the_signature_is_of_the_bytes_that_are_sent() -> None:
    packed = gzip.compress(ndjson(sent(1)))
    async with webhook(token=None, signing_secret=SECRET) as hook:
        answered = await hook.post(packed, sign(packed) | {"Content-Encoding": "gzip"}, token=None)
        assert answered.json["accepted"] == 1


@pytest.mark.parametrize("token", [None, "", "wrong", "ünïcode-tökén-which-is-long"])
async def test_a_wrong_token_is_a_401_that_says_what_to_send(token: str | None) -> None:
    async with webhook() as hook:
        answered = await hook.post(sent(1), token=token)
        assert (answered.status, answered.code, answered.headers["WWW-Authenticate"]) == (401, "unauthorised", "Bearer")
        assert "Authorization: Bearer TOKEN" in str(answered.json)


async def test_with_both_secrets_either_is_enough() -> None:
    body = ndjson(sent(1))
    async with webhook(signing_secret=SECRET) as hook:
        assert (await hook.post(body)).status == 200
        assert (await hook.post(body, sign(body), token=None)).status == 200
        assert (await hook.post(body, sign(body, key=KEY[::-1]))).status == 401


async def test_a_sender_that_sends_too_often_waits() -> None:
    async with webhook(requests_per_minute=3) as hook:
        assert [(await hook.post(sent(n))).status for n in range(4)] == [200, 200, 200, 429]
        refused = await hook.post(sent(4))
        assert (refused.code, refused.headers["Retry-After"]) == ("rate_limited", "20")
        hook.clock.now += 20
        assert (await hook.post(sent(4))).status == 200


async def test_the_operator_may_allow_platforms() -> None:
    own = sent(1, id="reddit:t3_1", platform="reddit", thread="reddit:t3_1")
    async with webhook(platforms=["reddit"]) as hook:
        assert (await hook.post(own)).status == 200
        assert (await hook.post(sent(1))).refused == [(1, "platform_not_allowed")]


async def test_health_and_unknown_routes() -> None:
    async with webhook() as hook:
        async with hook.session.get(hook.url("/healthz")) as healthy:
            assert await healthy.json() == {"status": "ok", "waiting_lines": 0}
        async with hook.session.get(hook.url()) as wrong_method:
            assert (wrong_method.status, wrong_method.headers["Allow"]) == (405, "POST")
            assert "POST /v1/signals" in await wrong_method.text()
        async with hook.session.get(hook.url("/../etc/passwd")) as elsewhere:
            assert elsewhere.status == 404
