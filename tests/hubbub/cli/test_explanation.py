"""An explanation for a terminal: every factor has its evidence, and no text controls the terminal."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from hubbub.cli import explanation
from hubbub.cli.explanation import render
from hubbub.cli.ranking import ranking_table
from hubbub.operate.matches import MatchReason
from ingest.signal import Author, Community, Counts, Signal
from streams.records.noise_score import NoiseScore, decode_score
from streams.records.source_watermark import SourceWatermark
from streams.records.stories import StoryInfo
from streams.records.story_activity import Entry, StorySignals
from streams.resolve.matching.matcher import MatchStage
from streams.score.config import ScoreConfig
from streams.score.explaining import explain_score
from streams.score.reading import TextReader
from streams.score.scorer import PartitionScorer

START_MS = 1_775_000_000_000
HOSTILE = "\x1b[31mSam Altman\x07 [bold]fired[/bold] \u202e gnp.exe"


@pytest.fixture(scope="module")
def score() -> NoiseScore:
    """A post, replies for and against, and a post elsewhere."""
    post = Signal(
        id="reddit:t3_a",
        kind="post",
        platform="reddit",
        thread="reddit:t3_a",
        author=Author("someone"),
        community=Community("Futurology", 2_000_000),
        title=HOSTILE,
        counts=Counts(likes=900, like_ratio=0.6),
        created_ms=START_MS,
        observed_ms=START_MS,
    )
    replies = [
        msgspec.structs.replace(
            post, id=f"reddit:t1_{n}", kind="reply", title=None, text=text, counts=Counts(likes=n), community=None
        )
        for n, text in enumerate(("I love this, and it is great for you", "This is a terrible idea and I hate it"))
    ]
    elsewhere = msgspec.structs.replace(
        post, id="hackernews:1", thread="hackernews:1", platform="hackernews", title="OpenAI board", community=None
    )
    signals = [post, *replies, elsewhere]
    scorer = PartitionScorer({}, ScoreConfig(), TextReader.load())
    entries = tuple(Entry(n, START_MS + n, signal) for n, signal in enumerate(signals))
    info = StoryInfo("st_1", "slug", HOSTILE, "ai", START_MS)
    scorer.take([StorySignals(SourceWatermark(0, 1, START_MS + 9), 0, info, entries)], 0.0)
    (record,) = scorer.advance(START_MS + 9, 0.0).scores.values()
    assert record is not None
    return decode_score(b"st_1", record)


def test_each_factor_shows_the_signals_behind_it(score: NoiseScore) -> None:
    explained = explain_score(score)
    assert sum(factor.points for factor in explained.factors.values()) == pytest.approx(score.raw, abs=1e-9)
    assert all(factor.how for factor in explained.factors.values())
    plain = msgspec.to_builtins(explained)["factors"]
    widest = plain["reach"]["inputs"]["widest"]
    assert [(one["id"], one["people"], one["of"]) for one in widest[:2]] == [
        ("reddit:t3_a", 40_000, "Futurology"),
        ("hackernews:1", 36_000, ""),
    ]
    polarity = plain["polarity"]["inputs"]
    assert [(one["likes"], one["like_ratio"]) for one in polarity["most_voted"]] == [(900, 0.6), (900, 0.6)]
    assert [one["id"] for one in polarity["most_liked_for"]] == ["reddit:t1_0"]
    assert [one["id"] for one in polarity["most_liked_against"]] == ["reddit:t1_1"]
    assert plain["star_power"]["inputs"]["first_named_in"] == {"sam-altman": "reddit:t3_a", "openai": "hackernews:1"}
    assert plain["cross_platform"]["inputs"]["first_posts"] == {"reddit": "reddit:t3_a", "hackernews": "hackernews:1"}
    assert plain["duration"]["inputs"]["run_began_ms"] == START_MS


def test_changes_that_raise_the_score_are_ordered_by_effect_and_constants_are_shown(score: NoiseScore) -> None:
    explained = explain_score(score)
    points = [one.points for one in explained.raises]
    assert points == sorted(points, reverse=True)
    assert "one more platform" in {one.change for one in explained.raises}
    assert explained.constants["half_life_ms"] == 7 * 24 * 3_600_000


def test_no_string_of_a_score_gets_a_control_character_to_the_terminal(score: NoiseScore) -> None:
    """Another program may write the topic: every string of a record is hostile but those of closed lists."""
    closed = {"band", "state"}

    def hostile(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            fixed = name in {"factors", "inputs"} or name in explained.factors or not name
            return {key if fixed else f"{key}\x1b[31m": hostile(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [hostile(item, "item" if isinstance(item, str) else "") for item in value]
        return f"{value}\x1b]0;x\x07" if isinstance(value, str) and name not in closed else value

    explained = explain_score(score)
    plain = msgspec.to_builtins(msgspec.structs.replace(score, category="labor"))
    other = msgspec.convert(hostile(plain), NoiseScore)
    assert other.category == "labor\x1b]0;x\x07"
    out = io.StringIO()
    console = Console(file=out, width=160, highlight=False)
    console.print(render(other, explain_score(other), {}), ranking_table([other], START_MS, 160))
    assert "labor" in out.getvalue()
    assert not set(out.getvalue()) & {"\x1b", "\x07"}


def test_a_time_that_no_calendar_has_is_shown(score: NoiseScore) -> None:
    other = msgspec.structs.replace(score, inputs={"duration": {"run_began_ms": 1e300}})
    out = io.StringIO()
    Console(file=out, width=160).print(render(other, explain_score(other), {}))
    assert "run began 2100-01-01" in out.getvalue()


def test_each_way_to_match_has_its_words() -> None:
    assert explanation.MATCHED_BY.keys() == {*MatchStage, "operator"}


def test_it_is_said_why_a_post_is_in_the_story(score: NoiseScore) -> None:
    known = score.top[0].id
    for match, words in {
        MatchReason("new"): "began a story",
        MatchReason("similar", ("ledger\x1b[31m", "outage")): "shares the words ledger[31m, outage",
        MatchReason("url", ("news.example/a",)): "shares the link news.example/a",
        MatchReason("operator"): "was put there by an operator",
        MatchReason("of a later version"): "of a later version",
    }.items():
        out = io.StringIO()
        Console(file=out, width=200).print(render(score, explain_score(score), {known: match}))
        assert words in out.getvalue()


@pytest.mark.parametrize("width", [60, 120])
def test_untrusted_text_is_shown_without_control_characters(score: NoiseScore, width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(render(score, explain_score(score), {}))
    text = out.getvalue()
    assert "[bold]fired[/bold]" in text.replace("\n", "")
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    for words in () if width < 80 else ("reach", "Futurology", "60% up", "what would raise it most", "first on reddit"):
        assert words in " ".join(text.split())


def test_inputs_of_another_version_are_left_out(score: NoiseScore) -> None:
    """Inputs are free in form: unknown ones are not shown, and nothing breaks."""
    other = msgspec.structs.replace(
        score, inputs={"reach": {"widest": [{"x": 1}, 2], "audience": "many"}, "polarity": 3, "engagement": {}}
    )
    out = io.StringIO()
    Console(file=out, width=100).print(render(other, explain_score(other), {}))
    assert "audience many" in out.getvalue()
