"""Comments that no collector could have found, by the audit."""

from __future__ import annotations

from hubbub.world.generated import Size, generate
from tests.system.chaos.audit import LISTED_COMMENTS, _is_unlisted


def test_a_comment_is_unlisted_only_if_a_thousand_newer_ones_hid_it_before_the_next_poll() -> None:
    world = generate(1, 0, Size(hours=6, stories=12, chatter=400, replies=3_000))
    comments = world.replies("reddit").items
    first = comments[0]
    soon, late = comments[LISTED_COMMENTS - 1].appears_ms, comments[LISTED_COMMENTS + 1].appears_ms
    assert soon < late
    assert _is_unlisted(first, [late], world)
    assert not _is_unlisted(first, [soon, late], world), "it was listed at the first poll"
    assert not _is_unlisted(first, [first.appears_ms], world), "there was no poll since it appeared"
    assert not _is_unlisted(first, [], world)
    assert not _is_unlisted(first.post, [late], world), "posts are polled by name"
    assert not _is_unlisted(world.replies("hackernews").items[0], [late], world), "Hacker News hides nothing"
    assert not _is_unlisted(None, [late], world)
