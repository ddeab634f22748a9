"""The registry: every platform there is.

Owns the list of platforms. It is the only place that knows all of them; a new platform adds one line here.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from ingest.spec import PlatformSpec

_FOLDERS = (  # one line for each
    "bluesky",
    "gdelt",
    "hackernews",
    "lemmy",
    "mastodon",
    "news",
    "reddit",
    "stackexchange",
    "telegram",
    "webhook",
    "x",
    "youtube",
)

PLATFORMS: Final[Mapping[str, PlatformSpec[Any]]] = MappingProxyType(
    {name: import_module(f"ingest.platforms.{name}").SPEC for name in _FOLDERS}
)
"""By name. (Any: each has a config class of its own, and a mapping cannot say which.)"""
