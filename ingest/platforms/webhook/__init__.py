"""The webhook: signals that other programs send over HTTP. Needs a token or a signing secret."""

from typing import Final

from ingest.batch import Cursor
from ingest.collector import Collector, CollectorContext
from ingest.platforms.webhook.config import WebhookConfig
from ingest.platforms.webhook.convert import PLATFORM
from ingest.spec import Capability, PlatformSpec

__all__ = ["SPEC"]


def _make(config: WebhookConfig, cursor: Cursor | None, context: CollectorContext) -> Collector:
    from ingest.platforms.webhook.collector import WebhookCollector  # noqa: PLC0415 (only who collects needs it)
    from ingest.registry import PLATFORMS  # noqa: PLC0415 (it imports this file)

    return WebhookCollector(config, cursor, context, PLATFORMS.keys() - {PLATFORM})


async def _is_running(config: WebhookConfig) -> bool:
    from ingest.platforms.webhook.probe import is_running  # noqa: PLC0415 (only who asks for it needs it)

    return await is_running(config)


SPEC: Final = PlatformSpec(
    name=PLATFORM,
    display_name="Webhook",
    config=WebhookConfig,
    make=_make,
    is_running=_is_running,
    needs="token, which you choose and give to your senders, or signing_secret, with which they sign",
    gives="whatever your programs send to POST /v1/signals: posts, replies and reposts of any platform without a"
    " collector here",
    needs_account=True,
    rate_limit="600 requests a minute for each sender; change it with requests_per_minute",
    terms="Your own server. The terms of the platform that your sender reads apply to the sender.",
    terms_url="https://github.com/standard-webhooks/standard-webhooks",
    capabilities=frozenset(Capability),
)
