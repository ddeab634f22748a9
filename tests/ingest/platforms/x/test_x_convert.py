"""X's posts into signals: the fields of recorded posts, and odd ones."""

from __future__ import annotations

import pytest

from ingest.platforms.x.answers import posts_of, refusal, usage_of
from ingest.platforms.x.convert import authors, convert, snowflake_ms
from ingest.signal import Author, Signal
from tests.ingest.platforms.x.x_site import NOON_MS, iso, post
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import Response


def signal(**changes: object) -> Signal:
    became = convert(post(42) | changes, NOON_MS, {"902": Author(name="somebody", followers=7)})
    assert became.unreadable == []
    return became.signals[0]


def test_a_post() -> None:
    found = signal(lang="en")
    assert (found.id, found.kind, found.thread, found.text) == ("x:42", "post", "x:42", "post 42")
    assert (found.permalink, found.lang) == ("https://x.com/somebody/status/42", "en")
    assert found.author == Author(name="somebody", followers=7)


def test_an_answer_is_in_the_thread_of_its_conversation() -> None:
    referred = [{"type": "replied_to", "id": "41"}, {"type": "quoted", "id": "9"}]
    found = signal(conversation_id="40", referenced_tweets=referred)
    assert (found.kind, found.thread) == ("reply", "x:40")
    del referred[1]
    raw = post(42, referenced_tweets=referred)
    del raw["conversation_id"]
    assert convert(raw, NOON_MS).signals[0].thread == "x:41"


def test_a_repost_has_an_id_of_its_own_and_counts_of_the_original_only() -> None:
    found = signal(referenced_tweets=[{"type": "retweeted", "id": "41"}])
    assert (found.id, found.kind, found.thread) == ("x:42", "repost", "x:41")
    assert found.counts.likes is None


def test_a_quote_is_a_post_that_links_what_it_quotes() -> None:
    urls = [{"expanded_url": "https://x.com/other/status/41"}]
    found = signal(referenced_tweets=[{"type": "quoted", "id": "41"}], entities={"urls": urls})
    assert (found.kind, found.url) == ("post", "https://x.com/i/status/41")
    urls.append({"expanded_url": "https://bit.example/1", "unwound_url": "https://news.example/story"})
    found = signal(referenced_tweets=[{"type": "quoted", "id": "41"}], entities={"urls": urls})
    assert found.url == "https://news.example/story"


def test_a_long_post_is_whole_and_its_escapes_are_gone() -> None:
    assert signal(text="a &amp;lt; b &gt; c").text == "a &lt; b > c"
    assert signal(text="short…", note_tweet={"text": "the whole text"}).text == "the whole text"


def test_no_views_of_a_liked_post_are_unknown() -> None:
    assert signal(public_metrics={"like_count": 5, "impression_count": 0}).counts.views is None
    assert signal(public_metrics={"like_count": 0, "impression_count": 0}).counts.views == 0


def test_what_is_withheld_everywhere_is_deleted() -> None:
    found = signal(withheld={"copyright": True, "country_codes": ["XY"]})
    assert (found.deleted, found.text, found.author, found.url, found.counts.likes) == (True, None, None, None, 10)
    assert not signal(withheld={"country_codes": ["DE"]}).deleted


@pytest.mark.parametrize("code", ["und", "zxx", "qme", "qht", "", None])
def test_no_language_is_unknown(code: str | None) -> None:
    assert signal(lang=code).lang is None


def test_a_time_ahead_is_clamped_and_a_missing_one_is_in_the_id() -> None:
    assert signal(created_at=iso(NOON_MS + 60_000)).created_ms == NOON_MS
    assert signal(created_at="2019-03-21T20:50:14.000Z").created_ms == 1_553_201_414_000
    # The post of 2020-08-12T17:01:42Z that X's own pages use as an example.
    assert snowflake_ms("1293593516040269825") // 1000 == 1_597_251_702


@pytest.mark.parametrize("id_", ["", "1e3", "٣", "-1", "1" * 30])
def test_no_id_is_a_dead_letter(id_: str) -> None:
    (dead,) = convert(post(1) | {"id": id_}, NOON_MS).unreadable
    assert dead.reason == "wrong_shape"


def test_users_that_are_none_are_left_out() -> None:
    users = [None, {"id": 1}, {"id": "1", "username": "a"}, {"id": "2", "username": "b", "public_metrics": []}]
    assert authors(users) == {"1": Author(name="a")}


def test_problems_inside_a_success() -> None:
    gone = {
        "resource_type": "tweet", "resource_id": "7", "parameter": "ids", "title": "Authorization Error",
        "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
    }  # fmt: skip
    original = gone | {"parameter": "referenced_tweets.id", "resource_id": "8"}
    posts = posts_of({"data": [post(1)], "errors": [gone, original, None]}, NOON_MS, "posts")
    assert (len(posts.items), posts.gone) == (1, ["7"])
    assert posts_of({"errors": [gone]}, NOON_MS, "posts").gone == ["7"]
    worthless: tuple[object, ...] = ({}, {"meta": {"result_count": 3}}, {"message": "ok"}, [])
    for nothing in worthless:
        with pytest.raises(RetryLaterError):
            posts_of(nothing, NOON_MS, "posts")


def test_usage_in_texts_and_numbers() -> None:
    usage = [{"date": "2025-11-30T00:00:00.000Z", "usage": "010"}, {"date": "2025-11-29", "usage": 7}, {"date": "?"}]
    value = {"data": {"daily_project_usage": {"usage": usage}}}
    assert usage_of(value) == {"2025-11-30": 10, "2025-11-29": 7}


def refused(status: int, body: str = "", **headers: str) -> Exception | None:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return refusal(Response(status, named, body.encode()), "it")


def test_refusals_say_what_to_do() -> None:
    assert refused(200) is None
    credits_ = refused(402, '{"title": "CreditsDepleted", "detail": "Your account has no credits."}')
    assert isinstance(credits_, UserError)
    assert "Your account has no credits." in str(credits_)
    assert isinstance(refused(403, '{"title": "Client Forbidden"}'), UserError)
    assert isinstance(refused(403, "<html>"), RetryLaterError)
    date = "Fri, 07 Oct 2022 23:07:41 UTC"
    limited = refused(429, "Too Many Requests", x_rate_limit_reset="1665184961", Date=date)
    assert isinstance(limited, SlowDownError)
    assert limited.after_seconds == 900
    cap = refused(429, '{"title": "UsageCapExceeded", "period": "Monthly"}')
    assert isinstance(cap, SlowDownError)
    assert cap.after_seconds == 3600
    connection = refused(429, '{"title": "ConnectionException", "connection_issue": "TooManyConnections"}')
    assert isinstance(connection, SlowDownError)
    assert connection.after_seconds == 30
