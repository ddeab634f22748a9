"""Secrets: from a variable, from a private file, and never from one that others can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub.redaction import Redaction
from hubbub.secret_options import MAX_BYTES
from hubbub.settings import SettingsError, files, load

TOKEN = "a-bearer-token-of-48-characters"  # noqa: S105
VARIABLE = "HUBBUB_COLLECT__X__BEARER_TOKEN"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def token() -> str:
    config = load().collect.configs(["x"])["x"]
    return str(config.bearer_token.get_secret_value())  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", [0o600, 0o400])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_comes_from_the_file_that_a_variable_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int, end: str
) -> None:
    file = private(folder / "token", TOKEN + end, mode)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(file))
    assert token() == TOKEN
    assert file in files(load())


def test_secrets_are_found_below_mappings_and_other_files_are_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private(folder / "mastodon", TOKEN)
    private(folder / "kafka", "password")
    monkeypatch.setenv("HUBBUB_COLLECT__MASTODON__INSTANCES__social.example__ACCESS_TOKEN_FILE", "mastodon")
    monkeypatch.setenv("HUBBUB_KAFKA__SASL_PASSWORD_FILE", "kafka")
    monkeypatch.setenv("HUBBUB_KAFKA__CA_FILE", "ca.pem")  # an option of its own
    settings = load()
    assert "access_token=SecretStr('**********')" in repr(settings.collect)
    assert settings.kafka.sasl_password is not None
    assert settings.kafka.sasl_password.get_secret_value() == "password"
    assert settings.kafka.ca_file == Path("ca.pem")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660])
def test_a_file_that_others_can_use_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(private(folder / "token", TOKEN, mode)))
    with pytest.raises(SettingsError, match=r"holds a secret, and others .* may use it; chmod 600") as refused:
        load()
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"\xff\xfe", "is not text"), (b"x" * (MAX_BYTES + 1), "is larger"), (None, "is not a file")],
    ids=["empty", "not text", "too large", "missing"],
)
def test_a_file_without_a_usable_secret_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, why: str
) -> None:
    file = folder / "token"
    if content is not None:
        private(file, "").write_bytes(content)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(file))
    with pytest.raises(SettingsError, match=f"{VARIABLE}_FILE: .* {why}"):
        load()


def test_a_secret_that_is_set_twice_is_a_mistake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(private(folder / "token", TOKEN)))
    monkeypatch.setenv(VARIABLE, TOKEN)
    with pytest.raises(SettingsError, match=f"both {VARIABLE} and {VARIABLE}_FILE are set"):
        load()


def test_a_variable_for_the_file_of_what_is_no_secret_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_COLLECT__X__BASE_URL_FILE", "url")
    with pytest.raises(SettingsError, match="base_url_file"):
        load()


@pytest.mark.parametrize(
    ("toml", "secret"),
    [
        (f'[collect.x]\nbearer_token = "{TOKEN}"', "collect.x.bearer_token"),
        (
            f'[collect.mastodon.instances."social.example"]\naccess_token = "{TOKEN}"',
            "collect.mastodon.instances.social.example.access_token",
        ),
        (f'[score.openai]\napi_key = "{TOKEN}"', "score.openai.api_key"),
    ],
)
def test_hubbub_toml_may_hold_a_secret_only_if_it_is_private(folder: Path, toml: str, secret: str) -> None:
    file = private(folder / "hubbub.toml", toml)
    load()
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=f"holds the secret {secret}, and .* chmod 600 hubbub.toml") as refused:
        load()
    assert TOKEN not in str(refused.value)


def test_hubbub_toml_without_a_secret_may_be_read_by_all(folder: Path) -> None:
    private(folder / "hubbub.toml", '[resolve]\nbeats = ["ai"]\n[collect.x]\nposts_per_day = 3', 0o644)
    with pytest.raises(SettingsError, match=r"collect\.x\.bearer_token: Field required"):
        load()  # not a word about the mode


@pytest.mark.parametrize(
    "toml",
    [
        f'[collect.x]\nbearer_token = "{TOKEN}"\nposts_per_day = "{TOKEN}"',
        f'[collect.x]\nbearer_token = ["{TOKEN}"]',
        f'[collect]\nx = "{TOKEN}"',
        f'[collect.webhook]\nsigning_secret = "{TOKEN}"',
        f'[collect.x]\nbearer_token = "{TOKEN}',
    ],
    ids=["beside a mistake", "a list", "in place of a group", "not valid", "not TOML"],
)
def test_a_mistake_in_the_settings_does_not_show_a_secret(folder: Path, toml: str) -> None:
    private(folder / "hubbub.toml", toml)
    with pytest.raises(SettingsError) as refused:
        load()
    assert TOKEN not in str(refused.value)


def test_redaction_hides_a_secret_however_it_is_spelled() -> None:
    secret = "pä$$word'\\x00"  # noqa: S105
    redacted = Redaction([secret, "abc"])
    for text in (secret, repr(secret), repr(secret.encode()), f"{secret}{secret}"):
        assert not {"word", "pä"} & set(redacted(text).split())
        assert "$$" not in redacted(text)
    assert redacted("abc is too short") == "abc is too short"
    assert Redaction(())("text") == "text"
