"""Reddit's options: what cannot work is refused when it is set, not when it is used."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ingest.platforms.reddit.config import RedditConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"subreddits": []},
        {"subreddits": ["../../api/v1/me"]},
        {"oauth_url": "http://oauth.reddit.com"},
        {"reddit_url": "http://127.0.0.1.example.org"},
        {"polling": 5},
        {"requests_per_minute": 0},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RedditConfig.model_validate({"client_id": "id"} | wrong)
