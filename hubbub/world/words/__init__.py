"""The wording of a generated world, as data files: plots, chatter, names, remarks, hostile texts.

Owns reading the files. Must never know what a world does with the words. The order of a file's words is part of a
world: a seed draws from them by position.
"""

import tomllib
from importlib.resources import files
from typing import TypeVar

import msgspec

__all__ = ["read_toml", "text"]

T = TypeVar("T")


def read_toml(name: str, shape: type[T]) -> T:
    """Return the file ``name`` of this package as a ``shape``."""
    return msgspec.convert(tomllib.loads(text(name)), shape)


def text(name: str) -> str:
    """Return the text of the file ``name`` of this package."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
