"""YouTube's videos, comments and feeds into signals: recorded ones, and odd ones."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import signal
from ingest.platforms.youtube.answers import NoCommentsError, QuotaSpentError, refusal
from ingest.platforms.youtube.atom import videos_of
from ingest.platforms.youtube.convert import convert
from tests.ingest.platforms.youtube.youtube_site import NOON_MS, comment, video
from transport.errors import RetryLaterError, SlowDownError, UserError
from transport.http import Response

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns="http://www.w3.org/2005/Atom">
 <id>yt:channel:aaaa</id><title>A Channel</title><author><name>A Channel</name></author>
 <entry>
  <id>yt:video:abc-_123456</id><yt:videoId>abc-_123456</yt:videoId><yt:channelId>UCaaaa</yt:channelId>
  <title>Chips &amp; fish</title><author><name>A Channel</name><uri>https://www.youtube.com/channel/UCaaaa</uri></author>
  <published>2025-11-30T18:00:00+00:00</published><updated>2025-11-30T19:00:00+00:00</updated>
  <media:group><media:title>Chips &amp; fish</media:title><media:description>Line 1
Line 2</media:description>
   <media:community><media:starRating count="21" average="5.00" min="1" max="5"/><media:statistics views="1857"/>
   </media:community></media:group>
 </entry>
</feed>"""


def test_a_feed() -> None:
    (raw,) = videos_of(FEED.encode())
    (found,) = convert(raw, NOON_MS, {"UCaaaa": 5}).signals
    assert (found.id, found.kind, found.title, found.text) == (
        "youtube:abc-_123456",
        "post",
        "Chips & fish",
        "Line 1\nLine 2",
    )
    assert (found.counts.views, found.counts.likes, found.counts.replies) == (1857, None, None)
    assert found.community is not None
    assert (found.community.name, found.community.members) == ("A Channel", 5)
    assert found.created_ms == NOON_MS - 2 * 3_600_000


@pytest.mark.parametrize(
    "feed",
    [
        "",
        "<html><body>Before you continue</html>",
        "<rss/>",
        '<!DOCTYPE f [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>',
        '<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>',
        FEED[:-20],
        FEED.replace('encoding="UTF-8"', 'encoding="nonsense"'),
        '<feed xmlns="http://www.w3.org/2005/Atom">' + "<a>" * 50 + "</a>" * 50 + "</feed>",
    ],
)
def test_what_is_no_feed_is_an_error_of_the_loop(feed: str) -> None:
    with pytest.raises(RetryLaterError):
        videos_of(feed.encode())


def test_a_hidden_count_is_unknown_and_a_wrong_one_a_dead_letter() -> None:
    raw = video(1)
    del raw["statistics"]["likeCount"]  # type: ignore[attr-defined]
    assert convert(raw, NOON_MS).signals[0].counts.likes is None
    assert convert(video(1, likeCount="many"), NOON_MS).unreadable[0].reason == "wrong_shape"


def test_a_comment_is_in_the_thread_of_its_video() -> None:
    (found,) = convert(comment(1, "video000001"), NOON_MS).signals
    assert (found.kind, found.thread, found.text, found.counts.likes) == (
        "reply",
        "youtube:video000001",
        "comment 1",
        3,
    )


def test_a_video_that_starts_later_is_clamped_to_now() -> None:
    assert convert(video(0, created_ms=NOON_MS + 60_000), NOON_MS).signals[0].created_ms == NOON_MS


def reason(status: int, reason: str) -> Exception | None:
    error = {"code": status, "message": "Sorry.", "errors": [{"domain": "youtube", "reason": reason}]}
    return refusal(Response(status, {}, json.dumps({"error": error}).encode()), "it")


def test_refusals_by_reason() -> None:
    assert isinstance(reason(403, "quotaExceeded"), QuotaSpentError)
    assert isinstance(reason(403, "commentsDisabled"), NoCommentsError)
    assert isinstance(reason(404, "videoNotFound"), NoCommentsError)
    assert isinstance(reason(403, "rateLimitExceeded"), SlowDownError)
    assert isinstance(reason(403, "accessNotConfigured"), UserError)
    assert isinstance(reason(500, "backendError"), RetryLaterError)
    assert refusal(Response(200, {}, b""), "it") is None


# Recordings


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, object]:
    """Return the recorded responses by their path."""
    recordings = shared / "wire" / "youtube.tar.xz"
    if not recordings.is_file():
        pytest.skip("needs ../shared/data/wire/youtube.tar.xz")
    found: dict[str, object] = {}
    with tarfile.open(recordings) as archive:
        for member in archive:
            if "/testdata/" in member.name and (file := archive.extractfile(member)) is not None:
                found[member.name] = json.load(file)
    return found


def resources(value: object, kind: str) -> Iterator[dict[str, object]]:
    """Yield every resource of a kind inside a response."""
    if isinstance(value, dict):
        if value.get("kind") == kind and "snippet" in value:
            yield value
        for part in value.values():
            yield from resources(part, kind)
    elif isinstance(value, list):
        for part in value:
            yield from resources(part, kind)


@pytest.mark.parametrize(("kind", "least"), [("youtube#video", 10), ("youtube#comment", 20)])
def test_every_recorded_resource_is_a_signal_that_says_the_same(
    recorded: dict[str, object], kind: str, least: int
) -> None:
    found = [resource for body in recorded.values() for resource in resources(body, kind)]
    assert len(found) >= least
    for resource in found:
        snippet, counts = resource["snippet"], resource.get("statistics", {})
        assert isinstance(snippet, dict)
        assert isinstance(counts, dict)
        became = convert(resource, NOON_MS)
        if kind == "youtube#comment" and "videoId" not in snippet:
            assert became.unreadable  # of comments.list, which we do not ask for
            continue
        (one,) = became.signals
        signal.decode(signal.encode(one), NOON_MS)
        assert one.text == (
            snippet.get("description") or snippet.get("textOriginal") or snippet.get("textDisplay") or None
        )
        likes = counts.get("likeCount", snippet.get("likeCount"))
        assert one.counts.likes == (None if likes is None else int(likes))
        for name, number in (("viewCount", one.counts.views), ("commentCount", one.counts.replies)):
            assert number == (int(counts[name]) if name in counts else None)
        if "channelTitle" in snippet:
            assert one.community is not None
            assert one.community.name == snippet["channelTitle"]


def test_recorded_refusals(recorded: dict[str, object]) -> None:
    for name, status in (("error_response.json", 400), ("error_permission_resp.json", 403)):
        (found,) = [body for path, body in recorded.items() if path.endswith(name)]
        assert refusal(Response(status, {}, json.dumps(found).encode()), "it") is not None
    (found,) = [body for path, body in recorded.items() if path.endswith("/error_response.json")]
    assert isinstance(refusal(Response(400, {}, json.dumps(found).encode()), "it"), UserError)
