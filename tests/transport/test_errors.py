"""One error tree: every exception of ours says what to do next, by its branch."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import hubbub
import ingest
import streams
import transport
from transport import errors

BRANCHES = [
    error for error in vars(errors).values() if inspect.isclass(error) and errors.HubbubError in error.__bases__
]


def exceptions() -> set[type[Exception]]:
    """Return the exception classes that the packages define, without ``scoring``, which imports nothing of ours."""
    found = set()
    for package in (hubbub, ingest, streams, transport):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                for value in vars(importlib.import_module(module.name)).values():
                    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == module.name:
                        found.add(value)
    return found


def test_every_exception_is_in_exactly_one_branch_of_the_tree() -> None:
    outside = {
        f"{error.__module__}.{error.__qualname__}"
        for error in exceptions() - {errors.HubbubError}
        if sum(issubclass(error, branch) for branch in BRANCHES) != 1
    }
    assert outside == set()


@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch.__name__)
def test_every_branch_is_drawn_at_the_top_of_the_module(branch: type[Exception]) -> None:
    assert f"── {branch.__name__} " in (errors.__doc__ or "")
