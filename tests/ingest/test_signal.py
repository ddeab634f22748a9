"""The signal record: what is written can be read back, and what is not a signal is refused for a stated reason."""

from __future__ import annotations

import gzip
import json
import string
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import signal
from ingest.signal import Author, Community, Counts, InvalidSignalError, Reason, Signal

NOW_MS = 1_704_213_600_000

TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)
COUNTS = st.none() | st.integers(0, signal.MAX_COUNT)
NATIVE_IDS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1, max_size=100)
PLATFORMS = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    platform = draw(PLATFORMS)
    id_ = f"{platform}:{draw(NATIVE_IDS)}"
    kinds: list[Literal["post", "reply", "repost"]] = ["post", "reply", "repost"]
    kind = draw(st.sampled_from(kinds))
    # A repost may repeat an item of another platform, so the thread's platform is free.
    thread = id_ if kind == "post" else f"{draw(PLATFORMS)}:{draw(NATIVE_IDS)}"
    if kind != "post" and thread == id_:
        kind = "post"
    created_ms = draw(st.integers(signal.EARLIEST_MS, signal.LATEST_MS - signal.CLOCK_SKEW_MS))
    return Signal(
        id=id_,
        kind=kind,
        platform=platform,
        thread=thread,
        author=draw(st.none() | st.builds(Author, name=st.none() | TEXTS, followers=COUNTS)),
        community=draw(st.none() | st.builds(Community, name=st.none() | TEXTS, members=COUNTS)),
        title=draw(st.none() | TEXTS),
        text=draw(st.none() | TEXTS),
        url=draw(st.none() | TEXTS),
        permalink=draw(st.none() | TEXTS),
        lang=draw(st.sampled_from([None, "en", "zh-Hant-TW"])),
        counts=Counts(
            likes=draw(COUNTS),
            replies=draw(COUNTS),
            shares=draw(COUNTS),
            views=draw(COUNTS),
            like_ratio=draw(st.none() | st.floats(0, 1)),
        ),
        created_ms=created_ms,
        observed_ms=draw(st.integers(created_ms - signal.CLOCK_SKEW_MS, signal.LATEST_MS).filter(_is_time)),
    )


def _is_time(ms: int) -> bool:
    return signal.EARLIEST_MS <= ms <= signal.LATEST_MS


def record(**changes: object) -> bytes:
    """Return a good record with fields replaced; a field set to ``...`` is left out."""
    fields: dict[str, object] = {
        "v": 1,
        "id": "reddit:t3_18wuc1r",
        "kind": "post",
        "platform": "reddit",
        "thread": "reddit:t3_18wuc1r",
        "author": {"name": "lughnasadh", "followers": None},
        "community": {"name": "Futurology", "members": 21_800_000},
        "title": "A headline",
        "text": None,
        "url": "https://example.org/a",
        "permalink": "https://example.org/b",
        "lang": None,
        "counts": {"likes": 1476, "replies": 211, "shares": None, "views": None, "like_ratio": 0.93},
        "created_ms": NOW_MS - 3_600_000,
        "observed_ms": NOW_MS,
    }
    return json.dumps({name: value for name, value in (fields | changes).items() if value is not ...}).encode()


@settings(max_examples=60)
@given(signals())
def test_what_is_encoded_is_decoded_to_the_same_signal(original: Signal) -> None:
    raw = signal.encode(original)
    assert signal.decode(raw) == original
    assert signal.encode(signal.decode(raw)) == raw
    assert signal.key(original) == original.thread.encode()
    assert original.is_root == (original.id == original.thread)


def test_the_example_of_the_contract_is_read() -> None:
    decoded = signal.decode(record(), latest_ms=NOW_MS)
    assert decoded.counts == Counts(likes=1476, replies=211, like_ratio=0.93)
    assert decoded.community == Community(name="Futurology", members=21_800_000)


def test_everything_that_may_be_null_may_be_absent() -> None:
    names = ("v", "author", "community", "title", "text", "url", "permalink", "lang", "counts")
    assert signal.decode(record(**dict.fromkeys(names, ...))).counts == Counts()


def test_unknown_fields_are_left_alone() -> None:
    """Producers may add fields; the labelled recordings carry ``label``."""
    assert signal.decode(record(label="st_1", extra={"deep": [1, 2]})).id == "reddit:t3_18wuc1r"


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

REFUSED: list[tuple[str, bytes, Reason]] = [
    ("empty", b"", Reason.NOT_JSON),
    ("garbage", b"\xff\xfe\x00", Reason.NOT_JSON),
    ("cut off", record()[:-1], Reason.NOT_JSON),
    ("not UTF-8 inside a text", record(title="Zx").replace(b"Zx", b"\xc3\x28"), Reason.NOT_JSON),
    ("lone surrogate", record(title="Zx").replace(b"Zx", b"\\ud800"), Reason.NOT_JSON),
    ("NaN", record().replace(b"0.93", b"NaN"), Reason.NOT_JSON),
    ("endlessly nested", record(title=...)[:-1] + b',"x":' + DEEP + b"}", Reason.NOT_JSON),
    ("10 MB of text", record(text="a" * 10_000_000), Reason.TOO_LARGE),
    ("a list", b"[]", Reason.WRONG_SHAPE),
    ("null", b"null", Reason.WRONG_SHAPE),
    ("another version", record(v=2), Reason.WRONG_SHAPE),
    ("unknown kind", record(kind="dm"), Reason.WRONG_SHAPE),
    ("no platform", record(platform=...), Reason.WRONG_SHAPE),
    ("title is a number", record(title=5), Reason.WRONG_SHAPE),
    ("counts are null", record(counts=None), Reason.WRONG_SHAPE),
    ("no id", record(id=...), Reason.WRONG_SHAPE),
    ("id is a number", record(id=5), Reason.BAD_ID),
    ("id is empty", record(id="", thread=""), Reason.BAD_ID),
    ("id is endless", record(id="reddit:" + "a" * 600), Reason.BAD_ID),
    ("id without a platform", record(id="t3_18wuc1r", thread="t3_18wuc1r"), Reason.BAD_ID),
    ("id of another platform", record(platform="lemmy"), Reason.BAD_ID),
    ("platform is only a prefix", record(platform="red"), Reason.BAD_ID),
    ("id with a blank", record(id="reddit:a b", thread="reddit:a b"), Reason.BAD_ID),
    ("id with a line end", record(id="reddit:ab\n", thread="reddit:ab\n"), Reason.BAD_ID),
    ("id not in ASCII", record(id="reddit:é", thread="reddit:é"), Reason.BAD_ID),
    ("thread is null", record(thread=None), Reason.BAD_ID),
    ("thread is no id", record(kind="reply", thread="nonsense"), Reason.BAD_ID),
    ("post in another's thread", record(thread="reddit:t3_other"), Reason.BAD_ID),
    ("reply to itself", record(kind="reply"), Reason.BAD_ID),
    ("repost of itself", record(kind="repost"), Reason.BAD_ID),
    ("seconds instead of milliseconds", record(created_ms=1_704_210_000), Reason.BAD_TIME),
    ("microseconds instead of milliseconds", record(observed_ms=NOW_MS * 1000), Reason.BAD_TIME),
    ("time is a text", record(created_ms="2024-01-02"), Reason.BAD_TIME),
    ("time is a fraction", record(created_ms=NOW_MS + 0.5), Reason.BAD_TIME),
    ("created after it was seen", record(created_ms=NOW_MS + signal.CLOCK_SKEW_MS + 1), Reason.BAD_TIME),
    ("likes below 0", record(counts={"likes": -1}), Reason.BAD_COUNT),
    ("likes are a text", record(counts={"likes": "12"}), Reason.BAD_COUNT),
    ("likes past what JSON can count", record(counts={"likes": 2**53}), Reason.BAD_COUNT),
    ("likes past 64 bits", record(counts={"likes": 10**30}), Reason.BAD_COUNT),
    ("ratio above 1", record(counts={"like_ratio": 1.5}), Reason.BAD_COUNT),
    ("members below 0", record(community={"members": -5}), Reason.BAD_COUNT),
    ("followers are true", record(author={"followers": True}), Reason.BAD_COUNT),
    ("title of 100 001 characters", record(title="a" * 100_001), Reason.BAD_TEXT),
    ("name of 10 001 characters", record(author={"name": "a" * 10_001}), Reason.BAD_TEXT),
    ("url of 8 193 characters", record(url="a" * 8_193), Reason.BAD_TEXT),
]


@pytest.mark.parametrize(("raw", "reason"), [pytest.param(raw, reason, id=name) for name, raw, reason in REFUSED])
def test_refused_for_the_right_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(InvalidSignalError) as refusal:
        signal.decode(raw)
    assert refusal.value.reason is reason
    assert refusal.value.detail
    assert str(refusal.value) == f"{reason.value}: {refusal.value.detail}"
    assert len(str(refusal.value)) < 2_000


def test_every_reason_is_reached() -> None:
    assert {reason for _, _, reason in REFUSED} == set(Reason)


def test_a_lone_surrogate_is_not_encoded() -> None:
    broken = msgspec.structs.replace(signal.decode(record()), title="half a pair: \ud83d")
    with pytest.raises(InvalidSignalError) as refusal:
        signal.encode(broken)
    assert refusal.value.reason is Reason.BAD_TEXT


@pytest.mark.parametrize(
    ("late_ms", "taken"), [(0, True), (signal.CLOCK_SKEW_MS, True), (signal.CLOCK_SKEW_MS + 1, False)]
)
def test_an_observation_may_be_ahead_of_the_log_by_the_clocks_allowance_only(late_ms: int, taken: bool) -> None:
    raw = record(observed_ms=NOW_MS)
    if taken:
        assert signal.decode(raw, latest_ms=NOW_MS - late_ms).observed_ms == NOW_MS
    else:
        with pytest.raises(InvalidSignalError, match="written to the log") as refusal:
            signal.decode(raw, latest_ms=NOW_MS - late_ms)
        assert refusal.value.reason is Reason.BAD_TIME


def test_clocks_may_disagree_about_creation() -> None:
    assert signal.decode(record(created_ms=NOW_MS + signal.CLOCK_SKEW_MS))


@given(st.binary(max_size=300))
@example(b"{}")
def test_any_bytes_are_a_signal_or_refused(raw: bytes) -> None:
    with pytest.raises(InvalidSignalError):
        signal.decode(raw)


@settings(max_examples=60)
@given(st.data())
def test_a_mutated_record_is_a_signal_or_refused(data: st.DataObject) -> None:
    """Flip, cut, insert and repeat bytes: nothing but a result of the closed list comes out."""
    raw = bytearray(signal.encode(data.draw(signals())))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1)) if raw else 0
        match data.draw(st.sampled_from(["flip", "cut", "insert", "repeat"])):
            case "flip" if raw:
                raw[place] ^= data.draw(st.integers(1, 255))
            case "cut":
                del raw[place:]
            case "insert":
                raw[place:place] = data.draw(st.binary(max_size=8))
            case _:
                raw += raw[place:]
    try:
        decoded = signal.decode(bytes(raw))
    except InvalidSignalError:
        return
    assert signal.decode(signal.encode(decoded)) == decoded


@pytest.mark.parametrize(
    "name",
    [
        "recordings/ai-beat.ndjson.gz",
        "recordings/reddit-front-page.ndjson.gz",
        "recordings/hacker-news-scores.ndjson.gz",
        "labelled/news-stories.ndjson.gz",
        "labelled/event-tweets.ndjson.gz",
        "labelled/crisis-tweets.ndjson.gz",
    ],
)
def test_recorded_signals_are_read(shared: Path, name: str) -> None:
    with gzip.open(shared / name) as lines:
        for line in islice(lines, 3_000):
            decoded = signal.decode(line)
            assert decoded.thread.encode() == signal.key(decoded)
