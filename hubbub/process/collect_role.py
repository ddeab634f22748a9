"""The role ``collect``, made from the settings, and what it does when they change.

Owns which collectors run, and which posts of a firehose they publish. Must never know when settings are read again
(:mod:`hubbub.process.reload`), nor how a collector starts and ends.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from hubbub.settings import Settings, named_files
from ingest.collect import Collectors
from ingest.collector import CollectorConfig
from ingest.health import Health
from ingest.relevance import EVERYTHING, Relevance
from streams.resolve.matching.beats import load_beats, relevant_beats

MAX_BYTES: Final = 2_097_152
"""Of a file that an option names, at most so much is compared; collectors bound their files more tightly."""


class CollectRole:
    """The collectors ``names``, or those that the settings choose."""

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str],
        *,
        kafka: Mapping[str, object],
        prefix: str,
        now_ms: Callable[[], int],
    ) -> None:
        """``kafka``, ``prefix``, ``now_ms``: see :class:`hubbub.process.run_role.MakeRole`.

        Raises:
            SettingsError: no such collector, or one that needs an account that is not set.
            BeatError: a beat cannot be read.
        """
        self._names = tuple(names)
        self._beats = load_beats(settings.resolve.beats)
        self._health = Health()
        configs = self._configs(settings)
        self._contents = _contents(configs)
        self._collectors = Collectors(
            configs,
            kafka=kafka,
            topics=prefix,
            now_ms=now_ms,
            health=self._health,
            relevance=relevance_to(settings.resolve.beats),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until ``stop`` is set."""
        await self._collectors.run(stop)

    def problems(self) -> list[str]:
        """Return one line for each collector that does not collect."""
        return list(self._health.problems)

    def reload(self, settings: Settings) -> list[str]:
        """Collect as ``settings`` say from now on; return what changes. Raises as the constructor does."""
        configs, relevance = self._configs(settings), relevance_to(settings.resolve.beats)
        before, self._beats = self._beats, load_beats(settings.resolve.beats)
        known, self._contents = self._contents, _contents(configs)
        again = [name for name, contents in self._contents.items() if contents != known.get(name, contents)]
        changed = [f"collect.{name}" for name in self._collectors.change(configs, relevance, again)]
        return changed + ["resolve.beats"] * (self._beats != before)

    def _configs(self, settings: Settings) -> dict[str, CollectorConfig]:
        return settings.collect.configs(self._names or settings.collect.chosen())


def relevance_to(names: Sequence[str]) -> Relevance:
    """Return what the beats ``names`` want, as resolve decides it.

    Raises:
        BeatError: a beat cannot be read.
    """
    beats = load_beats(names)
    if any(beat.takes_everything for beat in beats.values()):
        return EVERYTHING
    accounts = dict.fromkeys(account for beat in beats.values() for account in beat.accounts)
    return Relevance(lambda signal: bool(relevant_beats(beats, signal)), tuple(accounts))


def _contents(configs: Mapping[str, CollectorConfig]) -> dict[str, list[bytes | None]]:
    """Return what is in the files that the options of each collector name."""
    return {name: [_content(path) for path in named_files(config)] for name, config in configs.items()}


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return None  # its collector says so
