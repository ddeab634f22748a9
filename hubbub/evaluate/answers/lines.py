"""Files of right answers: one case a line, its fields separated by TAB; a line that begins with ``#`` is a comment.

Owns the form of such a file. Must never know what the fields mean.
"""

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from hubbub.recordings import read_lines
from transport.errors import UserError

CaseT = TypeVar("CaseT")
NOTHING = "-"
"""An empty field may be written like this: some editors remove a TAB at the end of a line."""


def read_cases(file: Path, form: str, parse: Callable[[int, list[str]], CaseT]) -> list[CaseT]:
    """Return what ``parse`` makes of the number and the fields of each line.

    ``form``: how a line must be, in words. ``parse`` raises a ValueError that says what is wrong with its line.

    Raises:
        UserError: the file cannot be read, a line has another form, or there is none.
    """
    cases: list[CaseT] = []
    for number, fields in read_answers(file):
        try:
            cases.append(parse(number, fields))
        except ValueError as error:
            raise UserError(f"{file.name}, line {number} {error}; it must be {form}") from None
    if not cases:
        raise UserError(f"{file.name} holds no cases; each line must be {form}")
    return cases


def read_answers(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line of ``file`` that is neither empty nor a comment.

    Raises:
        UserError: the file cannot be read, or is not UTF-8.
    """
    for number, raw in read_lines(file):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{file.name}, line {number} is not UTF-8: {error.reason}; save the file as UTF-8"
            ) from None
        if text.strip() and not text.startswith("#"):
            fields = [field.strip() for field in text.split("\t")]
            yield number, ["" if field == NOTHING else field for field in fields]
