"""Lemmy: posts and comments of several instances, through API v3 or v4. Needs no account."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.lemmy.config import LemmyConfig
from ingest.platforms.lemmy.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: LemmyConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.lemmy.collector import LemmyCollector  # noqa: PLC0415 (only who collects needs it)

    return LemmyCollector(config, cursor, context)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Lemmy",
    config=LemmyConfig,
    make=_make,
    needs="nothing; an instance that only members may read shows nothing",
    gives="posts and comments of several instances, each once, with votes and numbers of comments as they grow, and "
    "the sizes of communities",
    needs_account=False,
    rate_limit="each instance sets its own; by default 180 requests in a minute for each address",
    terms="A public API of free software. Each instance has terms of its own: read those of the instances you ask.",
    terms_url="https://join-lemmy.org/docs/contributors/04-api.html",
    capabilities=frozenset(
        {Capability.REPLIES, Capability.GROWING_COUNTS, Capability.LIKE_RATIO, Capability.MEMBERS, Capability.DELETIONS}
    ),
    loud_interactions=3_000.0,
    views_per_like=30.0,
)
