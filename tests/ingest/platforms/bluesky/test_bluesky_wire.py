"""Recorded events of Jetstream and the lexicon of its second wire, against the collector and the simulator."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hubbub.world.generated import Size, generate
from hubbub.world.items import Post
from hubbub.world.platforms.bluesky import records
from hubbub.world.platforms.bluesky import server as simulated
from ingest import signal
from ingest.platforms.bluesky.addresses import POSTS, REPOSTS
from ingest.platforms.bluesky.convert import convert, convert_view
from ingest.platforms.bluesky.wire import Wire, about, item_in, read, repaired
from ingest.signal import Author, Signal

Events = list[dict[str, Any]]
LATER_MS = 1_790_000_000_000


def file(shared: Path, name: str, folder: str = "jetstream") -> bytes:
    archive = shared / "wire" / f"{folder}.tar.xz"
    if not archive.exists():
        pytest.skip(f"needs ../shared/data/wire/{archive.name}")
    with tarfile.open(archive) as tar:
        (found,) = [member for member in tar.getmembers() if Path(member.name).name == name]
        content = tar.extractfile(found)
        assert content is not None
        return content.read()


@pytest.fixture(scope="module")
def recorded(shared: Path) -> list[bytes]:
    lines = file(shared, "firehose-v1.jsonl") + b"\n" + file(shared, "picked-v1.jsonl")
    return [line for line in lines.splitlines() if line]


@pytest.fixture(scope="module")
def lexicon(shared: Path) -> dict[str, Any]:
    return dict(json.loads(file(shared, "subscribeEvents-v2.lexicon.json"))["defs"])


@pytest.fixture(scope="module")
def happenings() -> list[simulated.Happening]:
    """Return what happens in a simulated world, deletions among it."""
    found = simulated._happenings(generate(11, 1_760_000_000_000, Size(hours=2, stories=3, chatter=300, replies=60)))
    assert any(happening.deletes for happening in found)
    return found


@pytest.fixture(scope="module")
def view(shared: Path) -> dict[str, Any]:
    """Return a post as the AppView has shown it."""
    return dict(json.loads(file(shared, "thread_view_post_with_embed_media.json", "bluesky-atproto"))["thread"]["post"])


def in_second_wire(line: bytes) -> bytes:
    """Return a recorded event as the lexicon of the second wire has it."""
    old = json.loads(line)
    new = {"$type": f"{simulated.METHOD}#{old['kind']}", "seq": 1, "did": old["did"]}
    new["time"] = simulated._time(old["time_us"])
    new |= old["commit"] if old["kind"] == "commit" else {old["kind"]: old[old["kind"]]}
    return json.dumps({"$type": "message", "payload": new}).encode()


def test_every_recorded_event_is_read_alike_on_both_wires(recorded: list[bytes]) -> None:
    assert len(recorded) == 162
    for line in recorded:
        raw, event = json.loads(line), read(Wire.V1, line)
        second = read(Wire.V2, in_second_wire(line))
        assert event is not None
        assert second is not None
        assert (event.did, event.at_us, event.gone) == (raw["did"], raw["time_us"], False)
        assert event.collection == raw.get("commit", {}).get("collection", "")
        assert second.at_us == event.at_us
        assert json.loads(bytes(event.record) or b"0") == json.loads(bytes(second.record) or b"0")


def test_every_recorded_post_and_repost_is_a_signal_and_the_numbers_are_those_of_the_file(
    recorded: list[bytes],
) -> None:
    became: list[Signal] = []
    for line in recorded:
        event = read(Wire.V1, line)
        assert event is not None
        if event.operation == "create" and event.collection in {POSTS, REPOSTS}:
            about(event)
            found = convert(item_in(Wire.V1, line), LATER_MS)
            assert convert(item_in(Wire.V2, in_second_wire(line)), LATER_MS) == found
            assert found.unreadable == []
            became += found.signals
    for one in became:
        assert signal.decode(signal.encode(one), LATER_MS) == one
    commits = [json.loads(line).get("commit", {}) for line in recorded]
    created = [commit for commit in commits if commit.get("operation") == "create"]
    replies = sum("reply" in commit["record"] for commit in created if commit["collection"] == POSTS)
    kinds = Counter(one.kind for one in became)
    assert kinds["post"] + kinds["reply"] == sum(commit["collection"] == POSTS for commit in created) == 18
    assert kinds["reply"] == replies == 9
    assert kinds["repost"] == sum(commit["collection"] == REPOSTS for commit in created) == 16
    cards = [
        commit["record"]["embed"]["external"]["uri"]
        for commit in created
        if "external" in commit["record"].get("embed", {})
    ]
    assert sorted(cards) == sorted(one.url or "" for one in became if one.title)
    texts = {commit["record"]["text"] for commit in created if commit["collection"] == POSTS}
    assert {one.text or "" for one in became if one.kind != "repost" and "http" not in (one.text or "")} <= texts


def test_the_simulated_first_wire_has_the_form_of_the_recording(
    recorded: list[bytes], happenings: list[simulated.Happening]
) -> None:
    events = [json.loads(line) for line in recorded]
    forms = {_form(event) for event in events if event.get("commit", {}).get("collection") in {POSTS, REPOSTS}}
    ours = {_form(simulated._v1(happening, 1)) for happening in happenings}
    assert len(ours) > 2
    assert ours <= forms


def _form(event: dict[str, Any]) -> tuple[frozenset[str], frozenset[str], str]:
    return frozenset(event), frozenset(event["commit"]), event["commit"]["collection"]


def test_the_simulated_second_wire_keeps_to_the_lexicon(
    lexicon: dict[str, Any], happenings: list[simulated.Happening]
) -> None:
    frames = [simulated._v2(happening, 1) for happening in happenings]
    for frame in [*frames, simulated._other_v2(1_760_000_000_000_000, 1)]:
        payload: Any = frame["payload"]
        kind = lexicon[payload["$type"].rpartition("#")[2]]
        assert set(kind["required"]) <= payload.keys() <= {"$type", *kind["properties"]}
        event = read(Wire.V2, repaired(json.dumps(frame).encode()))
        assert event is not None
        assert event.cursor == 1
    kinds = lexicon["main"]["parameters"]["properties"]["kinds"]["items"]["enum"]
    assert {"commit", "account", "identity"} <= set(kinds)


def test_the_recorded_view_of_a_post_is_a_signal_with_its_counts(view: dict[str, Any]) -> None:
    became = convert_view(view, LATER_MS)
    (found,) = became.signals
    assert signal.decode(signal.encode(found), LATER_MS) == found
    assert (found.counts.likes, found.counts.replies) == (view["likeCount"], view["replyCount"])
    assert found.counts.shares == view["repostCount"] + view.get("quoteCount", 0)
    assert found.author == Author(name=view["author"]["handle"])
    did, _, rkey = view["embed"]["record"]["record"]["uri"].removeprefix("at://").split("/")
    assert found.url == f"https://bsky.app/profile/{did}/post/{rkey}", "it quotes a post, below a picture"


def test_the_simulated_view_has_the_form_of_the_recorded_one(
    view: dict[str, Any], happenings: list[simulated.Happening]
) -> None:
    posts = [happening.item for happening in happenings if isinstance(happening.item, Post)]
    shown = [records.view(post, 1_760_000_000_000 + 7_200_000) for post in posts]
    assert set().union(*shown) <= {*view, "quoteCount"}
    assert all(isinstance(one[key], type(view[key])) for one in shown for key in one if key in view)


def test_a_lone_surrogate_is_replaced() -> None:
    assert json.loads(repaired(b'{"a": "\\ud83d x \\ud83d\\ude00"}')) == {"a": "? x \U0001f600"}
