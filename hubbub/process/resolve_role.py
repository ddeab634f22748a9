"""The role ``resolve``, made from the settings, and what it does when they change.

Owns the restart in place: the worker finishes its step, commits and leaves its groups; then a new one starts with the
new beats. Its beats are part of its decisions, so no worker ever has two sets of them. It loses nothing, as any restart
of the role. Must never know when settings are read again (:mod:`hubbub.process.reload`).
"""

import asyncio
from collections.abc import Callable, Mapping

from hubbub.settings import Settings
from streams.resolve.matching.beats import load_beats
from streams.resolve.worker import Resolver


class ResolveRole:
    """One worker after another, each with the settings of its time."""

    def __init__(
        self, settings: Settings, *, kafka: Mapping[str, object], prefix: str, now_ms: Callable[[], int]
    ) -> None:
        """``kafka``, ``prefix``, ``now_ms``: see :class:`hubbub.process.run_role.MakeRole`.

        Raises:
            BeatError: a beat cannot be read.
        """
        self._kafka = kafka
        self._prefix = prefix
        self._now_ms = now_ms
        self._config = settings.resolve
        self._beats = load_beats(settings.resolve.beats)
        self._drain = asyncio.Event()
        self._worker = self._make()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Raises as :meth:`streams.resolve.worker.Resolver.run` does."""
        stopping = asyncio.create_task(self._drain_at(stop))
        try:
            while not stop.is_set():
                self._drain.clear()
                self._worker = self._make()
                await self._worker.run(self._drain)
        finally:
            stopping.cancel()

    def problems(self) -> list[str]:
        """Return what keeps the present worker from its work."""
        return self._worker.problems()

    def reload(self, settings: Settings) -> list[str]:
        """Go over to ``settings``; return what changes.

        Raises:
            BeatError: a beat cannot be read.
        """
        before, beats = self._beats, load_beats(settings.resolve.beats)
        changed = [f"resolve.{name}" for name, value in settings.resolve if value != getattr(self._config, name)]
        if beats != before and "resolve.beats" not in changed:
            changed.append("resolve.beats")
        self._config, self._beats = settings.resolve, beats
        if changed:
            self._drain.set()
        return changed

    def _make(self) -> Resolver:
        return Resolver(
            kafka=self._kafka, prefix=self._prefix, config=self._config, beats=self._beats, now_ms=self._now_ms
        )

    async def _drain_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._drain.set()
