"""Mastodon: public statuses of several instances, streamed or polled. Needs no account where instances allow that."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.mastodon.config import MastodonConfig
from ingest.platforms.mastodon.identity import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: MastodonConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.mastodon.collector import MastodonCollector  # noqa: PLC0415 (only who collects needs it)

    return MastodonCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Mastodon",
    config=MastodonConfig,
    make=_make,
    needs="nothing where an instance shows its timelines to everybody; for streaming an access_token of an account on"
    " the instance (scope read:statuses)",
    gives="public posts of the instances and of those they know, by timeline and by hashtag; the replies to posts that"
    " get some; edits, deletions, and counts as they grow; the authors' followers",
    needs_account=False,
    rate_limit="300 requests in 5 minutes to each instance from one address",
    terms="Only public posts are collected, of accounts that do not ask to stay out of indexes (noindex)."
    " discoverable and indexable are about search within Mastodon and are not read. Deletions are passed on."
    " Each instance has rules of its own; respect those of the instances you list.",
    terms_url="https://docs.joinmastodon.org/client/public/",
    capabilities=frozenset(
        {Capability.REPLIES, Capability.GROWING_COUNTS, Capability.DELETIONS, Capability.REPOSTS, Capability.FOLLOWERS}
    ),
    loud_interactions=10_000.0,
    views_per_like=40.0,
)
