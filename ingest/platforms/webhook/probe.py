"""Whether a webhook runs already: asked over HTTP, by another process on this machine.

Owns the address to ask and what the answer means. Must never listen.
"""

import json
from typing import Final

from ingest.platforms.webhook.config import WebhookConfig
from transport.http import HttpClient, RequestError

TIMEOUT_SECONDS: Final = 3.0
MAX_BODY_BYTES: Final = 65_536
EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (to ask, not to listen)


async def is_running(config: WebhookConfig) -> bool:
    """Return whether a webhook answers at the host and the port of ``config``."""
    host = EVERY_ADDRESS.get(config.host, config.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{config.port}/healthz"
    client = HttpClient(timeout_seconds=TIMEOUT_SECONDS, max_body_bytes=MAX_BODY_BYTES, operator_urls=[url])
    try:
        response = await client.request("GET", url)
        answer = json.loads(response.body)
    except (RequestError, ValueError, RecursionError):
        return False
    finally:
        await client.close()
    return response.status == 200 and isinstance(answer, dict) and "waiting_lines" in answer
