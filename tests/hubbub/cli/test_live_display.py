"""What ``hubbub up`` says before it starts: platforms that are not set up, and a beat that takes everything."""

from __future__ import annotations

import pytest

from hubbub.cli.live_display import collecting_notes
from hubbub.settings import load
from tests.hubbub.cli.conftest import hubbub

__all__ = ["hubbub"]

pytestmark = pytest.mark.usefixtures("hubbub")


def test_a_newcomer_learns_what_is_not_set_up_and_that_everything_is_used() -> None:
    off, everything = collecting_notes(load(), None)
    assert off == "not set up: Telegram, Webhook, X, YouTube. What each needs: hubbub collectors"
    assert everything.endswith("""(beats: general). For AI alone: HUBBUB_RESOLVE__BEATS='["ai"]'""")


def test_nothing_is_said_to_those_who_have_chosen() -> None:
    of_ai = load(resolve={"beats": ["ai"]})
    assert list(collecting_notes(of_ai, ["hackernews"])) == []
    assert list(collecting_notes(load(resolve={"beats": ["ai"]}, collect={"names": ["reddit"]}), None)) == []
    assert list(collecting_notes(load(), [])) == []  # --no-collect


def test_a_platform_that_is_set_up_is_not_named() -> None:
    (off,) = collecting_notes(load(resolve={"beats": ["ai"]}, collect={"youtube": {"api_key": "key"}}), None)
    assert "YouTube" not in off
    assert "Telegram" in off
