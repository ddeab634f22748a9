"""What an operator reads about a mistake in the settings: the option and what it is, in no terms of Python."""

from __future__ import annotations

import pytest

from hubbub.settings import SettingsError, load
from tests.hubbub.cli.conftest import hubbub

__all__ = ["hubbub"]

CASES = {
    "a wrong item": (
        {"youtube": {"api_key": "key", "channels": ["@name"]}},
        "collect.youtube.channels.0 is not of the form that it must have (Ids of the channels to collect from: 24",
    ),
    "an object for a list": (
        {"reddit": {"subreddits": {"technology": True}}},
        'collect.reddit.subreddits must be a list, such as ["…"] (Communities to collect from; all is all of them.)',
    ),
    "a list for a table": (
        {"mastodon": {"instances": ["mastodon.social"]}},
        "collect.mastodon.instances must be a table: names, each with its options (Instances to read, by host; each",
    ),
    "what a check of ours says": ({"gdelt": {"source": "api"}}, 'collect.gdelt: source "api" needs a query; see docs'),
}


@pytest.mark.usefixtures("hubbub")
@pytest.mark.parametrize("case", CASES)
def test_a_mistake_names_the_option_and_what_it_is(case: str) -> None:
    options, says = CASES[case]
    with pytest.raises(SettingsError) as raised:
        load(collect=options)
    assert says in str(raised.value)
    for jargon in ("Tuple", "tuple", "dictionary", "pattern", "after validation"):
        assert jargon not in str(raised.value)


@pytest.mark.usefixtures("hubbub")
def test_an_empty_list_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match=r"collect\.reddit\.subreddits: .* at least 1"):
        load(collect={"reddit": {"subreddits": []}})
