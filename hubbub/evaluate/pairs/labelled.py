"""Labelled pairs: two posts, and whether a reader says that they belong to one story.

Owns the reading of their file. Must never know how posts are gathered.
"""

from pathlib import Path

import msgspec

from hubbub.recordings import read_lines
from transport.errors import UserError

FORM = '{"a": id, "b": id, "same": true or false}'


class LabelledPair(msgspec.Struct, frozen=True):
    """Two posts by id. ``same``: they belong to one story. ``drawn``: how the pair was chosen, in any words."""

    a: str
    b: str
    same: bool
    drawn: str | None = None


_decode = msgspec.json.Decoder(LabelledPair).decode


def read_pairs(file: Path) -> list[tuple[int, LabelledPair]]:
    """Return the pairs of ``file``, one JSON object per line, with the number of their lines.

    Raises:
        UserError: the file cannot be read, a line is not a pair, or there is none.
    """
    found: list[tuple[int, LabelledPair]] = []
    for number, line in read_lines(file):
        if not line.strip():
            continue
        try:
            pair = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UserError(f"{file.name}, line {number} is not a pair: {error}; each line must be {FORM}") from None
        if pair.a == pair.b:
            raise UserError(f"{file.name}, line {number} names one post twice ({pair.a}); correct or remove it")
        found.append((number, pair))
    if not found:
        raise UserError(f"{file.name} holds no labelled pairs; each line must be {FORM}")
    return found
