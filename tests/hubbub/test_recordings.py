"""Recordings: a line that is not a signal is refused, and one from the future if the reader knows the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.recordings import read_recordings
from ingest.signal import CLOCK_SKEW_MS, encode
from tests.streams.examples.signals import START_MS, root


@pytest.mark.parametrize(("latest_ms", "refused"), [(None, []), (START_MS, [3])])
def test_a_line_from_the_future_is_refused(latest_ms: int | None, refused: list[int], tmp_path: Path) -> None:
    file = tmp_path / "recording.ndjson"
    signals = [root(f"x:{at_ms}", at_ms) for at_ms in (0, CLOCK_SKEW_MS, CLOCK_SKEW_MS + 1)]
    file.write_bytes(b"\n".join(map(encode, signals)))
    lines: list[int] = []
    found = read_recordings([file], lambda *place: lines.append(place[1]), latest_ms)
    kept = [signal for number, signal in enumerate(signals, 1) if number not in refused]
    assert [signal for signal, _ in found] == kept
    assert lines == refused
