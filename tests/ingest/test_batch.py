"""The account of a batch, dead letters, and the examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
from types import ModuleType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.batch import Ignored, Signals, Unreadable, errors_to_dead_letters, well_formed

MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(ingest.__path__, "ingest.")]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_are_true(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_account_of_a_batch_adds_up() -> None:
    one, two = Signals(), Signals(unreadable=[Unreadable.of({"id": float("nan")}, "r", "d")], gaps=1)
    one.ignored[Ignored.DEAD] += 2
    one.extend([two, two])
    assert (one.read, one.gaps, len(one.unreadable)) == (4, 2, 2)


def test_an_original_may_hold_anything_that_json_can_spell() -> None:
    letter = Unreadable.of({"a": "\ud800", "b": [1, None]}, "r", "d")
    assert json.loads(letter.original) == {"a": "\ud800", "b": [1, None]}


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (ZeroDivisionError, "convert_failed", "ZeroDivisionError: no {'a': 1} at 5"),
        (ValueError, "wrong_shape", "no {'a': 1} at 5"),
        (msgspec.ValidationError, "wrong_shape", "no {'a': 1} at 5"),
    ],
)
def test_an_item_for_which_convert_raises_is_a_dead_letter(error: type[Exception], reason: str, detail: str) -> None:
    @errors_to_dead_letters
    def convert(raw: object, witnessed_ms: int) -> Signals:
        raise error(f"no {raw} at {witnessed_ms}")

    (letter,) = convert({"a": 1}, 5).unreadable
    assert (letter.reason, letter.detail) == (reason, detail)
    assert json.loads(letter.original) == {"a": 1}


@given(st.text(st.characters()))
def test_well_formed_text_can_be_written(text: str) -> None:
    mended = well_formed(text)
    assert mended.encode().decode() == mended
    assert len(mended) == len(text)
