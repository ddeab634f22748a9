"""What each role's process is given by ``hubbub up``, and that a request to reload reaches it."""

from __future__ import annotations

import pytest

from hubbub.process.local import ALSO_READS, ROLES, role_children

SECRETS = {
    "collect": "HUBBUB_COLLECT__REDDIT__CLIENT_SECRET",
    "score": "HUBBUB_SCORE__OPENAI__API_KEY",
    "serve": "HUBBUB_SERVE__PORT",
    "resolve": "HUBBUB_RESOLVE__BEATS",
}


def test_each_role_is_given_its_own_settings_and_those_of_all_but_no_other_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in SECRETS.values():
        monkeypatch.setenv(variable, "from outside")
    monkeypatch.setenv("hubbub_collect", "{}")
    monkeypatch.setenv("HUBBUB_KAFKA__SASL_PASSWORD", "shared")
    children = role_children({"HUBBUB_LOG_FORMAT": "json", "HUBBUB_COLLECT__REDDIT__PASSWORD": "p"}, ["reddit"])
    assert [child.name for child in children] == list(ROLES)
    for child in children:
        given = {role for role, variable in SECRETS.items() if variable in child.environment}
        assert given == {child.name, *ALSO_READS.get(child.name, ())}
        assert ("HUBBUB_COLLECT__REDDIT__PASSWORD" in child.environment) is (child.name == "collect")
        assert ("hubbub_collect" in child.environment) is (child.name == "collect")
        assert child.environment.keys() >= {"HUBBUB_KAFKA__SASL_PASSWORD", "HUBBUB_LOG_FORMAT", "PATH"}


@pytest.mark.parametrize(
    ("collectors", "command"),
    [(None, ["hubbub", "collect"]), (["reddit"], ["hubbub", "collect", "reddit"]), ([], None)],
)
def test_collectors_are_named_left_to_the_settings_or_left_out(
    collectors: list[str] | None, command: list[str] | None
) -> None:
    commands = {child.name: list(child.command)[2:] for child in role_children({}, collectors)}
    assert commands.get("collect") == command
    assert set(commands) >= set(ROLES[1:])
