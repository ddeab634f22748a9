"""Every command in every bad situation: one clear line that says what to do, and no stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.kafka.cluster import Cluster
from hubbub.operate import topic_setup
from hubbub.process.embedded_broker import EmbeddedBroker
from hubbub.settings import KafkaSettings
from tests.conftest import Broker
from tests.hubbub.cli.command_tree import COMMANDS, LONG_RUNNING, example
from tests.hubbub.cli.conftest import Done, Run
from transport.admin import broker_problem
from transport.producer import open_producer
from transport.topics import TOPICS

NOWHERE = "127.0.0.2:1"
"""Nothing listens there, and it is no address at which the embedded broker could be started."""
WITH_SETTINGS = sorted(path for path in COMMANDS if path[0] != "eval")
"""The commands under ``eval`` read files and nothing else."""
WITH_BROKER = [path for path in WITH_SETTINGS if path not in LONG_RUNNING and path != ("collectors",)]

BAD_SETTINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "unknown key": (lambda file: file.write_text("[kafka]\nbootstrap = 1\n"), "kafka.bootstrap"),
    "bad value": (lambda file: file.write_text('[kafka]\npartitions = "many"\n'), "kafka.partitions"),
    "bad clock": (lambda file: file.write_text('world_clock = "noon"\n'), "world_clock: 'noon' is not"),
    "endless clock": (lambda file: file.write_text('world_clock = "1@1xinf"\n'), "world_clock: '1@1xinf' is not"),
    "no port": (lambda file: file.write_text('[kafka]\nbootstrap_servers = "foo:bar"\n'), "'foo:bar' is not"),
    "no such port": (
        lambda file: file.write_text('[kafka]\nbootstrap_servers = "a:1,127.0.0.1:99999"\n'),
        "kafka.bootstrap_servers: '127.0.0.1:99999' is not of the form HOST:PORT",
    ),
    "broken TOML": (lambda file: file.write_text("[kafka\n"), "hubbub.toml cannot be read"),
    "not text": (lambda file: file.write_bytes(b"\xff\xfe\x00"), "hubbub.toml cannot be read"),
    "unreadable": (lambda file: file.symlink_to("/proc/self/mem"), "hubbub.toml cannot be read"),
    "a folder": (Path.mkdir, "hubbub.toml is not a file"),
}


def assert_one_line_says(done: Done, words: str) -> None:
    (line,) = done.stderr.splitlines()
    assert line.startswith("hubbub: ")
    assert words in line
    assert done.returncode == 1


@pytest.mark.parametrize("fault", BAD_SETTINGS)
@pytest.mark.parametrize("path", WITH_SETTINGS, ids=" ".join)
def test_wrong_settings_are_one_line_that_names_them(
    path: tuple[str, ...], fault: str, hubbub: Run, tmp_path: Path
) -> None:
    make, words = BAD_SETTINGS[fault]
    make(tmp_path / "hubbub.toml")
    done = hubbub(*example(path))
    if path == ("doctor",):  # reports its findings as data
        assert words in done.stdout
        assert (done.returncode, done.stderr) == (1, "")
    else:
        assert_one_line_says(done, words)
        assert done.stdout == ""


@pytest.mark.parametrize("path", [*WITH_BROKER, ("up",)], ids=" ".join)
def test_no_broker_is_one_line_that_says_where(path: tuple[str, ...], hubbub: Run) -> None:
    done = hubbub(*example(path), HUBBUB_KAFKA__BOOTSTRAP_SERVERS=NOWHERE)
    if path == ("doctor",):
        assert f"broker at {NOWHERE} answers" in done.stdout
        assert (done.returncode, done.stderr) == (1, "")
    else:
        assert_one_line_says(done, f"no broker answers at {NOWHERE}; ")
        assert done.stdout == ""


LOGIN = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_USERNAME": "alice", "SASL_PASSWORD": "wrong-password"}
REFUSALS = {
    "wrong password": ("login_servers", LOGIN, "refuses the user name or the password", "SASL_PASSWORD"),
    "wrong login": ("login_servers", {**LOGIN, "SASL_MECHANISM": "SCRAM-SHA-256"}, "does not offer", "SASL_MECHANISM"),
    "no login wanted": ("bootstrap_servers", LOGIN, "expects no login", "SECURITY_PROTOCOL"),
    "no login given": ("login_servers", {}, "hangs up", "SECURITY_PROTOCOL"),
    "SSL": ("bootstrap_servers", {"SECURITY_PROTOCOL": "SSL"}, "hangs up", "SECURITY_PROTOCOL"),
}
"""By fault: where Hubbub asks, with which settings, what it says of the broker, and which setting it names."""


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        *((path, "wrong password") for path in [*WITH_BROKER, ("up",)]),
        *((path, fault) for path in [("scores",), ("doctor",), ("up",)] for fault in list(REFUSALS)[1:]),
    ],
)
def test_a_broker_that_refuses_us_is_one_line_that_names_the_cause(
    path: tuple[str, ...], fault: str, hubbub: Run, jvm_kafka: Cluster
) -> None:
    where, options, does, setting = REFUSALS[fault]
    servers = getattr(jvm_kafka, where)
    environment = {f"HUBBUB_KAFKA__{name}": value for name, value in options.items()}
    done = hubbub(*example(path), HUBBUB_KAFKA__BOOTSTRAP_SERVERS=servers, **environment)
    if path == ("doctor",):
        assert (done.returncode, done.stderr) == (1, "")
    else:
        assert_one_line_says(done, f"hubbub: the broker at {servers} {does}")
        assert done.stdout == ""
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if does in line]
    assert f"HUBBUB_KAFKA__{setting}" in line.partition("; correct ")[2]
    assert "wrong-password" not in line


@pytest.mark.parametrize("path", [*WITH_BROKER, ("up",)], ids=" ".join)
def test_a_login_without_a_user_is_one_line(path: tuple[str, ...], hubbub: Run) -> None:
    done = hubbub(*example(path), HUBBUB_KAFKA__SECURITY_PROTOCOL="SASL_SSL", HUBBUB_KAFKA__SASL_PASSWORD="x")  # noqa: S106
    words = "kafka: SASL_SSL needs both sasl_username and sasl_password"
    if path == ("doctor",):
        assert words in done.stdout
    else:
        assert_one_line_says(done, words)


async def test_the_right_password_is_let_in(jvm_kafka: Cluster) -> None:
    """So the refusals above are those of a broker that lets others in."""
    kafka = KafkaSettings(
        bootstrap_servers=jvm_kafka.login_servers,
        security_protocol="SASL_PLAINTEXT",
        sasl_username="alice",
        sasl_password=SecretStr("right-password"),
    )
    assert await broker_problem(kafka.client_options()) is None


@pytest.mark.parametrize("path", WITH_BROKER, ids=" ".join)
def test_without_topics_no_command_shows_a_stack(path: tuple[str, ...], hubbub: Run, broker: Broker) -> None:
    assert_done_or_one_line(hubbub(*example(path), **settings(broker)))


@pytest.mark.parametrize("path", WITH_BROKER, ids=" ".join)
def test_with_empty_topics_no_command_shows_a_stack(path: tuple[str, ...], hubbub: Run, broker: Broker) -> None:
    asyncio.run(topic_setup.create({"bootstrap_servers": broker.bootstrap_servers}, broker.topic_prefix, 2, 1))
    assert_done_or_one_line(hubbub(*example(path), **settings(broker)))


JUNK = (
    b"junk",
    b"\xff\xfe\x00",
    b"null",
    b"{}",
    b"[" * 100_000,
    b'{"stage":"resolve","instance":"x","mark_ms":1,"updated_ms":1}',
    b'{"stage":"score","instance":"99999999999999999999","mark_ms":-9223372036854775808,"updated_ms":9223372036854775807}',
    b'{"stage":"s","reason":"r","detail":"d","at_ms":9223372036854775807,"original_b64":"","topic":"signals"}',
    b'{"stage":"s","reason":"r","detail":"d","at_ms":1,"original_b64":"%","topic":"signals","partition":0,"offset":0}',
)
"""Records of no topic, and such that are of the right form and nonsense."""


@pytest.fixture(scope="module")
def junk(embedded_broker: EmbeddedBroker) -> dict[str, str]:
    """Write junk to every topic, under keys that Hubbub uses too; return the settings with which commands meet it."""
    asyncio.run(_write_junk({"bootstrap_servers": embedded_broker.bootstrap_servers}))
    return settings(Broker("embedded", embedded_broker.bootstrap_servers, "junk-"))


async def _write_junk(kafka: dict[str, object]) -> None:
    await topic_setup.create(kafka, "junk-", 2, 1)
    async with open_producer(kafka) as producer:
        for topic in TOPICS:
            for value in JUNK:
                for key in (b"t:a", b"s:a", b"o:a", b"hackernews", b"\xff" + value[:9]):
                    await producer.send(f"junk-{topic.name}", value, key=key, partition=0)


@pytest.mark.parametrize("path", [*WITH_BROKER, ("dead-letters", "--json"), ("scores", "--json")], ids=" ".join)
def test_with_junk_in_every_topic_no_command_shows_a_stack(
    path: tuple[str, ...], hubbub: Run, junk: dict[str, str]
) -> None:
    words = example(path) if path in COMMANDS else path
    done = hubbub(*words, **junk)
    assert_done_or_one_line(done)
    says = {
        ("doctor",): "topic junk-progress, partition 0, offset ",
        ("stories", "list"): "topic junk-stories, partition 0, offset 0: the record cannot be read",
        ("dead-letters", "--json"): "junk-dead-letters, partition 0, offset 0 is no dead letter",
    }
    assert says.get(path, "") in done.stdout + done.stderr


def assert_done_or_one_line(done: Done) -> None:
    """A command succeeds, or says in one line why not; a check reports on standard output that something is wrong."""
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    if done.returncode == 1 and not done.stdout:
        assert len(lines) == 1
        assert lines[0].startswith("hubbub: ")
    assert len(lines) <= 1


def settings(broker: Broker) -> dict[str, str]:
    return {
        "HUBBUB_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HUBBUB_KAFKA__TOPIC_PREFIX": broker.topic_prefix,
    }


def test_a_fault_of_ours_shows_its_stack_and_says_so(hubbub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("url")

    monkeypatch.setattr("hubbub.cli.check_commands.load", broken)
    done = hubbub("collectors")
    assert done.returncode == 1
    assert 'raise KeyError("url")' in done.stderr
    assert done.stderr.splitlines()[-1] == "hubbub: this is a fault of Hubbub; please report it with the lines above"
