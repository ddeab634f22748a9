"""Replies recorded on four platforms, by id. Their texts belong to their authors and stay in the shared data.

A tweet counts as a reply if it begins with a mention. The other platforms say so.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TWEETS = ("recordings/ai-beat", "labelled/crisis-tweets", "labelled/event-tweets")


def recorded_replies(shared: Path) -> dict[str, str]:
    """Return the text of each reply, by the id that a collector would give it."""
    return {
        id_: text
        for recorded in (_tweets(shared), _reddit(shared), _youtube(shared), _bluesky(shared))
        for id_, text in recorded
    }


def _tweets(shared: Path) -> Iterator[tuple[str, str]]:
    for name in TWEETS:
        with gzip.open(shared / f"{name}.ndjson.gz") as lines:
            for signal in map(json.loads, lines):
                if signal["platform"] == "x" and (signal["text"] or "").startswith("@"):
                    yield signal["id"], signal["text"]


def _reddit(shared: Path) -> Iterator[tuple[str, str]]:
    # A comment that was edited while it was recorded comes more than once; the first text counts.
    bodies = [
        interaction["response"]["body"].get("string") or ""
        for member in _members(shared / "wire" / "reddit-praw.tar.xz", ".json")
        for interaction in json.loads(member).get("interactions", [])
    ]
    for body in reversed(bodies):
        for data in reversed(list(_objects(json.loads(body)))) if body.startswith(("{", "[")) else ():
            if data.get("kind") == "t1" and data["data"].get("body"):
                yield f"reddit:t1_{data['data']['id']}", data["data"]["body"]


def _youtube(shared: Path) -> Iterator[tuple[str, str]]:
    for member in _members(shared / "wire" / "youtube.tar.xz", ".json"):
        for comment in _objects(json.loads(member)):
            if comment.get("kind") == "youtube#comment":
                snippet = comment["snippet"]
                yield f"youtube:{comment['id']}", snippet.get("textOriginal") or snippet["textDisplay"]


def _bluesky(shared: Path) -> Iterator[tuple[str, str]]:
    for member in _members(shared / "wire" / "jetstream.tar.xz", ".jsonl"):
        for event in map(json.loads, member.splitlines()):
            commit = event.get("commit") or {}
            if (commit.get("record") or {}).get("reply"):
                yield (f"bluesky:at://{event['did']}/{commit['collection']}/{commit['rkey']}", commit["record"]["text"])


def _members(archive: Path, ending: str) -> Iterator[bytes]:
    with tarfile.open(archive) as files:
        for member in files:
            content = files.extractfile(member) if member.name.endswith(ending) else None
            if content is not None:
                yield content.read()


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)
