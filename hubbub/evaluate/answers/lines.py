"""Files of right answers: one case a line, its fields separated by TAB; a line that begins with ``#`` is a comment.

Owns the form of such a file. Must never know what the fields mean.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from hubbub.recordings import read_lines
from transport.errors import UserError

NOTHING = "-"
"""An empty field may be written like this: some editors remove a TAB at the end of a line."""


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
