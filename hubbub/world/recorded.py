"""A recorded world: recorded signals, served again as the platforms they came from.

Owns what a platform would have shown at a time. A post appears when it was first observed. Its
counts are those of the last observation so far. Must never know how signals are collected.

Reddit and Hacker News only: what came from elsewhere is left out, and counted.
"""

from collections import Counter, defaultdict
from pathlib import Path

from hubbub.recordings import read_recordings
from hubbub.world.growth import Observed, Totals
from hubbub.world.items import Community, Post, Reply
from hubbub.world.world import World
from ingest.signal import InvalidSignalError, Signal
from transport.errors import UserError

_NATIVE = {
    ("reddit", "post"): "t3_",
    ("reddit", "reply"): "t1_",
    ("hackernews", "post"): "",
    ("hackernews", "reply"): "",
}
"""The prefix of native ids, by platform and kind of signal; other kinds are not served."""


def read_recording(path: Path) -> tuple[World, dict[str, int]]:
    """Read a file of signals (NDJSON; ``.gz``, ``.zst``); return its world, and how many signals were left out and why.

    Raises:
        UserError: the file cannot be read, is not what its name says, or holds no signal that can be served.
    """
    left_out: Counter[str] = Counter()
    observations: dict[str, list[Signal]] = defaultdict(list)

    def leave_out(_file: Path, _number: int, error: InvalidSignalError) -> None:
        left_out[f"not a signal: {error.reason}"] += 1

    for signal, _ in read_recordings([path], leave_out):
        reason = _unfit(signal)
        if reason is None:
            observations[signal.id].append(signal)
        else:
            left_out[reason] += 1
    if not observations:
        raise UserError(f"{path} holds no signal from Reddit or Hacker News; left out: {dict(left_out)}")
    for seen in observations.values():
        seen.sort(key=lambda signal: signal.observed_ms)
    in_order = sorted(observations.values(), key=lambda seen: seen[0].observed_ms)
    posts = {seen[-1].id: _post(seen) for seen in in_order if seen[-1].kind == "post"}
    for seen in in_order:
        if seen[-1].kind == "reply":
            thread = posts.get(seen[-1].thread)
            if thread is None:
                left_out["reply to a post that is not in the file"] += len(seen)
            else:
                thread.add(_reply(seen, thread))
    world = World(
        posts.values(),
        _communities(in_order),
        stories=(),
        begins_ms=in_order[0][0].observed_ms,
        ends_ms=max(seen[-1].observed_ms for seen in in_order),
    )
    return world, dict(left_out)


def _unfit(signal: Signal) -> str | None:
    """Return why the platform could not have shown this; None if it could."""
    if signal.platform not in {"reddit", "hackernews"}:
        return f"platform {signal.platform}"
    prefix = _NATIVE.get((signal.platform, signal.kind))
    if prefix is None:
        return f"kind {signal.kind}"
    native = signal.id.partition(":")[2]
    if not native.startswith(prefix) or (signal.platform == "hackernews" and not native.isdecimal()):
        return "not an id of its platform"
    if signal.platform == "reddit" and signal.kind == "post" and not (signal.community and signal.community.name):
        return "no subreddit"
    return None


def _post(seen: list[Signal]) -> Post:
    last = seen[-1]
    return Post(
        platform=last.platform,
        native=last.id.partition(":")[2],
        author=last.author.name if last.author else None,
        title=last.title or "",
        text=last.text or "",
        url=last.url,
        community=last.community.name if last.community and last.platform == "reddit" else None,
        created_ms=last.created_ms,
        appears_ms=seen[0].observed_ms,
        votes=_votes(seen),
    )


def _reply(seen: list[Signal], thread: Post) -> Reply:
    """Return a reply to the post itself: signals do not tell which reply it answered."""
    last = seen[-1]
    return Reply(
        platform=thread.platform,
        native=last.id.partition(":")[2],
        author=last.author.name if last.author else None,
        text=last.text or "",
        created_ms=last.created_ms,
        appears_ms=max(seen[0].observed_ms, thread.appears_ms),
        votes=_votes(seen),
        post=thread,
        parent=thread,
    )


def _votes(seen: list[Signal]) -> Observed:
    totals = [Totals(one.counts.likes, one.counts.replies, one.counts.like_ratio) for one in seen]
    return Observed([one.observed_ms for one in seen], totals)


def _communities(in_order: list[list[Signal]]) -> list[Community]:
    """Return the subreddits, with the members stated last; a recording does not say when they were created."""
    members: dict[str, int | None] = {}
    for community in (signal.community for seen in in_order for signal in seen if signal.platform == "reddit"):
        if community is not None and community.name:
            members[community.name] = community.members or members.get(community.name)
    return [Community(name, count, created_ms=0) for name, count in members.items()]
