"""Trials: the sets of stories that spike detectors are tried on.

Owns where the stories come from: generated worlds, and files of recorded signals. Must never know how detectors are
measured.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from hubbub.evaluate.spikes.cases import Case, from_first_item, recorded
from hubbub.evaluate.spikes.measure import TrialResult, run_trial
from hubbub.evaluate.spikes.world_cases import world_cases
from hubbub.recordings import read_recordings
from ingest.signal import InvalidSignalError
from transport.errors import UserError

WORLD = "the simulated world"
PACKED = {".gz", ".zst"}


class _Labelled(msgspec.Struct):
    label: str | msgspec.UnsetType | None = msgspec.UNSET


_label = msgspec.json.Decoder(_Labelled).decode


class Recording(msgspec.Struct, frozen=True):
    """The stories of a file. ``labelled``: the file names them; otherwise each thread is one."""

    name: str
    labelled: bool
    cases: list[Case]


def trials(
    recordings: Sequence[Recording], *, world: bool, begin: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, TrialResult]]:
    """Yield the name of each set of stories and its result; ``begin`` is called with the name before the set is run."""
    if world:
        begin(WORLD)
        yield WORLD, run_trial(world_cases())
    for recording in recordings:
        begin(recording.name)
        yield recording.name, run_trial(recording.cases)
        if recording.labelled:
            name = f"{recording.name}, each event from its first item"
            yield name, run_trial(from_first_item(recording.cases))


def read(file: Path) -> Recording:
    """Read a file of recorded signals (NDJSON, plain, .gz or .zst), with or without labels.

    Raises:
        UserError: the file cannot be read, or holds no signals.
    """
    refused: list[InvalidSignalError] = []
    found = read_recordings([file], lambda _file, _line, error: refused.append(error))
    signals = [(_label(raw).label, signal) for signal, raw in found]
    if not signals:
        why = f" (the first line that is not one: {refused[0]})" if refused else ""
        raise UserError(
            f"{file.name} holds no signals{why}; each line must be a signal as docs/reference/contracts.md describes it"
        )
    labelled = any(label is not msgspec.UNSET for label, _ in signals)
    named = ((label if isinstance(label, str) else None, signal) for label, signal in signals)
    name = file.name.removesuffix(file.suffix).removesuffix(".ndjson") if file.suffix in PACKED else file.stem
    return Recording(name, labelled, recorded(named, labelled=labelled))
