"""Mastodon's statuses, as recorded and as feared, and what becomes of them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from ingest import signal
from ingest.batch import Ignored, Signals
from ingest.platforms.mastodon.convert import convert, parts
from ingest.platforms.mastodon.identity import created_at, local_id_at, signal_id
from ingest.signal import Author, Community, Counts, Signal
from tests.ingest.platforms.mastodon.mastodon_site import HOST, local, native, toot
from tests.ingest.sites import CREATED_S, NOW_MS

ROOT = "mastodon:far.example/7"
RECORDED_MS = 1_890_000_000_000
"""Later than every recording."""


def only(signals: Signals, now_ms: int = NOW_MS) -> Signal:
    (found,) = signals.signals
    assert signals.read == 1
    assert signal.decode(signal.encode(found), now_ms) == found
    return found


def ignored(signals: Signals) -> list[Ignored]:
    assert signals.read == 1
    return list(signals.ignored)


def test_a_status_is_a_post() -> None:
    link = (
        '<a href="https://news.example/1?a=b&amp;c=d" rel="nofollow"><span class="invisible">https://</span>news…</a>'
    )
    raw = toot(1, content=f"<p>Read this:<br />{link}</p><p>It&#39;s short</p>")
    assert only(convert(raw, NOW_MS)) == Signal(
        id=native(1),
        kind="post",
        platform="mastodon",
        thread=native(1),
        author=Author(name=f"ada@{HOST}", followers=70),
        community=Community(name=HOST),
        text="Read this:\n\nhttps://news.example/1?a=b&c=d\n\nIt's short",
        url="https://news.example/1?a=b&c=d",
        permalink=f"https://{HOST}/@ada/{local(1)}",
        lang="en",
        counts=Counts(likes=3, replies=0, shares=2),
        created_ms=(CREATED_S + 1) * 1000,
        observed_ms=NOW_MS,
    )


def test_a_reply_needs_its_thread() -> None:
    raw = toot(2, in_reply_to_id=local(1))
    assert ignored(convert(raw, NOW_MS)) == [Ignored.ORPHAN]
    found = only(convert(raw, NOW_MS, ROOT))
    assert (found.kind, found.thread) == ("reply", ROOT)


def test_a_boost_is_a_repost_in_the_thread_of_the_original() -> None:
    original = toot(1, host="far.example")
    raw = toot(2, uri=f"https://{HOST}/users/ada/statuses/{local(2)}/activity", reblog=original)
    assert list(parts(raw)) == [original, raw]
    found = only(convert(raw, NOW_MS))
    assert (found.id, found.kind, found.thread) == (native(2), "repost", native(1, "far.example"))
    assert (found.text, found.url, found.counts) == (None, None, Counts())


def test_a_quoted_status_comes_first() -> None:
    quoted = toot(1)
    raw = toot(2, quote={"state": "accepted", "quoted_status": quoted})
    assert list(parts(raw)) == [quoted, raw]
    withdrawn = toot(3, quote={"state": "revoked", "quoted_status": None})
    assert list(parts(withdrawn)) == [withdrawn]


@pytest.mark.parametrize("visibility", ["unlisted", "private", "direct", "limited", "", None])
def test_only_public_statuses_are_published(visibility: str | None) -> None:
    assert ignored(convert(toot(1, visibility=visibility), NOW_MS)) == [Ignored.NOT_PUBLIC]


def test_an_author_may_opt_out_and_a_bot_is_read() -> None:
    account = {"username": "ada", "followers_count": 1}
    assert ignored(convert(toot(1, account=account | {"noindex": True}), NOW_MS)) == [Ignored.OPTED_OUT]
    assert only(convert(toot(1, account=account | {"noindex": False, "bot": True}), NOW_MS)).author is not None


@pytest.mark.parametrize(
    ("uri", "id_"),
    [
        ("https://a.example/users/ada/statuses/12", "mastodon:a.example/12"),
        ("https://a.example/ap/users/11/statuses/12", "mastodon:a.example/12"),
        ("https://a.example/users/ada/statuses/12/activity", "mastodon:a.example/12"),
        ("https://A.Example:3000/users/ada/statuses/12", "mastodon:a.example:3000/12"),
        ("https://p.example/objects/4d5e-6f", "mastodon:p.example/objects/4d5e-6f"),
        ("https://p.example/notes/日 本?x=1", "mastodon:p.example/notes/%E6%97%A5%20%E6%9C%AC?x=1"),
        ("https://p.example/users/ada/statuses/١٢", "mastodon:p.example/users/ada/statuses/%D9%A1%D9%A2"),
        ("https://bücher.example/users/ada/statuses/12", "mastodon:b%C3%BCcher.example/12"),
        ("tag:old.example,2017-04-01:objectId=9", "mastodon:tag:old.example,2017-04-01:objectId=9"),
    ],
)  # fmt: skip
def test_the_uri_is_the_identity(uri: str, id_: str) -> None:
    assert signal_id(uri) == id_
    assert only(convert(toot(1, uri=uri), NOW_MS)).id == id_


def test_a_long_uri_is_shortened_and_an_empty_one_is_none() -> None:
    long = [signal_id(f"https://a.example/{'x' * 5000}{end}") for end in "ab"]
    assert len(set(long)) == 2
    assert max(map(len, long)) <= signal.MAX_ID_CHARS
    for uri in ("", "https://", "https://a.example", "https://a.example/"):
        with pytest.raises(ValueError, match="names no status"):
            signal_id(uri)


def test_a_local_id_says_when() -> None:
    assert created_at(117020583121982310) == 1_785_592_393_829
    assert local_id_at(1_785_592_393_829) <= 117020583121982310 < local_id_at(1_785_592_393_830)


@pytest.mark.parametrize(
    ("created", "at_ms"),
    [
        ("2019-05-06T07:08:09.010Z", 1_557_126_489_010),
        ("2019-05-06T07:08:09", 1_557_126_489_000),
        ("2019-05-06T09:08:09+02:00", 1_557_126_489_000),
        ("2099-01-01T00:00:00Z", NOW_MS),
    ],
)
def test_times_are_clamped_to_the_witness_and_old_ones_kept(created: str, at_ms: int) -> None:
    assert only(convert(toot(1, created_at=created), NOW_MS)).created_ms == at_ms


@pytest.mark.parametrize("created", ["", "yesterday", "Mo, 25 Jun 2018 11:41:36", None, 17])
def test_a_status_without_a_time_is_a_dead_letter(created: object) -> None:
    (dead,) = convert(toot(1, created_at=created), NOW_MS).unreadable
    assert dead.reason == "wrong_shape"


def test_mentions_and_hashtags_stay_and_are_no_link() -> None:
    content = (
        '<p><span class="h-card"><a href="https://b.example/@bob" class="u-url mention">@<span>bob</span></a></span> '
        '<a href="https://b.example/tags/ai" class="mention hashtag" rel="tag">#<span>AI</span></a></p>'
    )
    found = only(convert(toot(1, content=content), NOW_MS))
    assert (found.text, found.url) == ("@bob #AI", None)


def test_a_preview_says_what_the_link_is_and_a_warning_is_part_of_the_text() -> None:
    content = '<p><a href="https://short.example/1">…</a></p>'
    raw = toot(1, content=content, card={"url": "https://news.example/long"}, spoiler_text="uspol")
    found = only(convert(raw, NOW_MS))
    assert (found.url, found.text) == ("https://news.example/long", "uspol\n\nhttps://short.example/1")


def test_hostile_addresses_are_left_out() -> None:
    raw = toot(1, url="javascript:alert(1)", content='<a href="javascript:alert(1)">x</a>', card={"url": "data:,x"})
    found = only(convert(raw, NOW_MS))
    assert found.url is None
    assert found.permalink == f"https://{HOST}/users/ada/statuses/{local(1)}"


def test_hidden_numbers_are_unknown() -> None:
    raw = toot(1, favourites_count=-1, replies_count=None, account={"username": "ada", "followers_count": -1})
    found = only(convert(raw, NOW_MS))
    assert (found.counts, found.author) == (Counts(shares=2), Author(name=f"ada@{HOST}"))


# Recorded sessions of Mastodon.py


@cache
def recorded(wire: Path) -> list[dict[str, object]]:
    """Return every status in the recorded responses, with those inside other objects."""
    found: list[dict[str, object]] = []
    with tarfile.open(wire) as tar:
        for member in tar:
            if not member.name.endswith(".yaml") or (file := tar.extractfile(member)) is None:
                continue
            for interaction in yaml.load(file, yaml.CSafeLoader)["interactions"]:
                body = interaction["response"]["body"].get("string") or ""
                text = body.decode(errors="replace") if isinstance(body, bytes) else body
                for document in (text, *(line[6:] for line in text.splitlines() if line.startswith("data: "))):
                    try:
                        found += statuses_in(json.loads(document))
                    except ValueError:
                        continue
    return found


def statuses_in(value: object) -> Iterator[dict[str, object]]:
    """Yield the statuses within a value, outermost first."""
    if isinstance(value, dict):
        if {"uri", "visibility", "reblogs_count"} <= value.keys():
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from statuses_in(part)


def opted_out(raw: dict[str, object]) -> bool:
    account = raw["account"]
    assert isinstance(account, dict)
    return account.get("noindex") is True


def is_published(raw: dict[str, object]) -> bool:
    return raw["visibility"] == "public" and not opted_out(raw)


@pytest.fixture(scope="module")
def statuses(shared: Path) -> list[dict[str, object]]:
    wire = shared / "wire" / "mastodon.tar.xz"
    if not wire.exists():
        pytest.skip("needs ../shared/data/wire/mastodon.tar.xz")
    return recorded(wire)


def test_every_recorded_status_converts(statuses: list[dict[str, object]]) -> None:
    assert len(statuses) >= 490
    kinds = set()
    for raw in statuses:
        became = convert(raw, RECORDED_MS, ROOT)
        assert became.unreadable == []
        if raw["visibility"] != "public":
            assert ignored(became) == [Ignored.NOT_PUBLIC]
        elif opted_out(raw):
            assert ignored(became) == [Ignored.OPTED_OUT]
        else:
            kinds.add(only(became, RECORDED_MS).kind)
    assert kinds == {"post", "reply", "repost"}


def test_recorded_counts_are_those_that_independent_code_reads(statuses: list[dict[str, object]]) -> None:
    public = [raw for raw in statuses if is_published(raw) and raw["reblog"] is None]
    found = [only(convert(raw, RECORDED_MS, ROOT), RECORDED_MS) for raw in public]
    assert len(found) > 250
    for name, field in (("favourites", "likes"), ("reblogs", "shares"), ("replies", "replies")):
        stated = [raw.get(f"{name}_count") for raw in public]
        assert [getattr(each.counts, field) for each in found] == stated
        assert any(stated)
    assert [each.author.followers for each in found if each.author] == [
        raw["account"]["followers_count"]  # type: ignore[index]
        for raw in public
    ]


def test_each_recorded_status_has_an_id_of_its_own(statuses: list[dict[str, object]]) -> None:
    uris = {str(raw["uri"]) for raw in statuses}
    assert len({signal_id(uri) for uri in uris}) == len(uris) > 100
