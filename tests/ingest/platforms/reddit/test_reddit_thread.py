"""A whole thread in one request."""

from __future__ import annotations

import pytest

from ingest.platforms.reddit.client import RedditClient
from ingest.platforms.reddit.config import RedditConfig
from ingest.platforms.reddit.convert import convert, fullname
from tests.ingest.fake_clock import context
from tests.ingest.sites import NOW_MS, RedditSite, body, comment, submission
from transport.errors import RetryLaterError


async def test_a_thread_is_read_at_any_depth() -> None:
    async with RedditSite() as site:
        site.posts = [submission(1)]
        site.comments = [comment(number, 1) for number in range(2, 60)]
        options = {"client_id": "id", "client_secret": "secret", "reddit_url": site.url, "oauth_url": site.url}
        client = RedditClient(RedditConfig.model_validate(options), context(lambda: NOW_MS))
        try:
            page = await client.thread("t3_00001")
            expected = ["t3_00001", *(f"t1_{number:05}" for number in range(59, 1, -1))]
            assert [fullname(thing) for thing in page.things] == expected
            assert all(convert(thing, NOW_MS).signals for thing in page.things)
            site.next_answers.append(body('{"kind": "Listing"}'))
            with pytest.raises(RetryLaterError, match="no thread"):
                await client.thread("t3_00001")
        finally:
            await client.close()
