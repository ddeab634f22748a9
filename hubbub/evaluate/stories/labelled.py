"""Labelled signals: recorded signals whose story is known, read from a file.

Owns the reading. Must never know what the labels are compared with.
"""

from pathlib import Path

import msgspec

from hubbub.evaluate.stories.evaluation import Labelled
from hubbub.recordings import read_recordings
from ingest.signal import InvalidSignalError
from transport.errors import UserError


class _Label(msgspec.Struct):
    label: str | None


_decode_label = msgspec.json.Decoder(_Label).decode


def read_labelled(file: Path) -> list[Labelled]:
    """Return the signals of ``file`` with their labels. A line is a signal with the further field ``label``.

    Raises:
        UserError: the file cannot be read, or a line is not a labelled signal.
    """

    def refuse(_: Path, number: int, error: InvalidSignalError) -> None:
        raise UserError(f"{file.name}, line {number} is not a signal: {error}; see docs/reference/contracts.md")

    found: list[Labelled] = []
    for number, (signal, raw) in enumerate(read_recordings([file], refuse), 1):
        try:
            found.append(Labelled(signal, _decode_label(raw).label))
        except msgspec.ValidationError as error:
            raise UserError(
                f"{file.name}, signal {number} ({signal.id}) has no usable label: {error}; "
                'add "label": the story it belongs to, or null'
            ) from None
    if not any(post.label is not None for post in found):
        raise UserError(f"{file.name} holds no labelled signals; each line must be a signal with a field label")
    return found
