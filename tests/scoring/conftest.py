"""What all tests of scoring share."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(scope="module", autouse=True)
def _nothing_loaded_before() -> None:
    """Clear the caches of the package: the coverage of a test that filled them may not have been measured."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "scoring":
            for owner in (module, *(value for value in vars(module).values() if isinstance(value, type))):
                for attribute in list(vars(owner)):
                    clear = getattr(getattr(owner, attribute, None), "cache_clear", None)
                    if clear is not None:
                        clear()
