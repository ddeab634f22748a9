"""All roles on one machine: the demo agrees with the truth, and no process is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.process.embedded_broker import free_port
from tests.eventually import eventually_blocking

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hubbub", *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def descendants(pid: int) -> set[int]:
    """Return the ids of the processes below ``pid``."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read standard error up to the line with ``words``."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError(f"ended without {words!r}: {''.join(seen)}")


def test_the_demo_ends_by_itself_and_agrees_with_the_world_s_truth() -> None:
    process = start("demo", "--seconds", "45", "--json")
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    result = json.loads(out)
    agreement = result["agreement"]
    assert agreement["stories"] >= 10
    assert agreement["spearman"] >= 0.8
    assert agreement["found_once"] == agreement["stories"]
    assert agreement["split_in_three"] == 0
    noises = [story["noise"] for story in result["stories"]]
    assert noises == sorted(noises, reverse=True)
    assert noises[0] > 20


def test_ctrl_c_stops_everything_and_a_second_one_at_once() -> None:
    port = free_port()
    environment = {"HUBBUB_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{port}", "HUBBUB_SERVE__PORT": str(free_port())}
    process = start("up", "--no-collect", **environment)
    read_until(process, "ready; the page is at")
    below = descendants(process.pid)
    assert len(below) >= 4  # resolve, score, serve and the broker
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    eventually_blocking(lambda: gone(below))

    process = start("up", "--no-collect", **environment)
    read_until(process, "ready; the page is at")
    below = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    read_until(process, "Ctrl-C again stops at once")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    eventually_blocking(lambda: gone(below))


def test_sighup_makes_every_role_read_its_settings_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "HUBBUB_SERVE__PORT": str(free_port()),
    }
    process = start("up", "--no-collect", **environment)
    read_until(process, "ready; the page is at")
    below = descendants(process.pid)
    process.send_signal(signal.SIGHUP)
    lines = [json.loads(read_until(process, '"settings reloaded"')) for _ in range(3)]
    assert {line["role"] for line in lines} == {"resolve", "score", "serve"}
    (tmp_path / "hubbub.toml").write_text("[kafka]\npartition = 3")
    wrong = [json.loads(read_until(process, '"settings not reloaded')) for _ in range(3)]
    assert {line["problem"].partition(";")[0] for line in wrong} == {
        "wrong settings (in hubbub.toml or HUBBUB_…): kafka.partition: Extra inputs are not permitted"
    }
    assert descendants(process.pid) == below, "none was started again"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    eventually_blocking(lambda: gone(below))


def test_kill_9_leaves_no_orphans() -> None:
    environment = {
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "HUBBUB_SERVE__PORT": str(free_port()),
    }
    process = start("up", "--no-collect", **environment)
    read_until(process, "ready; the page is at")
    below = descendants(process.pid)
    process.kill()
    process.wait(5)
    eventually_blocking(lambda: gone(below))
