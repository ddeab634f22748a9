"""Beats: what an operator watches, and which posts are relevant to it.

Owns the definition of a beat (TOML) and the search for many patterns at once. Must never know about stories.

A post is relevant if its community, its author or the site it links to is listed. It is relevant too if its title, text
or link contains a listed keyword as a separate word. A beat that lists nothing accepts everything.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation, MatchKind
from msgspec import Meta

from ingest.signal import Signal
from streams.resolve.matching.text import UNSPACED
from transport.errors import UserError

BEAT_FILES = Path(__file__).with_name("beat_files")
MAX_SCANNED_CHARS = 4_000
"""Bounds the search of a text; a post names its subject earlier than that."""

Pattern = Annotated[str, Meta(min_length=2, max_length=200)]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
_host = re.compile(r"(?:https?://)?(?:[^/@?#]*@)?([^/:?#]+)", re.IGNORECASE).match
_is_unspaced = re.compile(UNSPACED).match


class BeatError(UserError, ValueError):
    """A beat that cannot be read. The message says which, why, and what to do."""


class Beat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """What to watch.

    ``keywords`` and ``phrases`` match in any letter case, ``exact`` only as written, for words like "AI". All match
    whole words. ``communities`` and ``accounts``: names as the platform writes them, in any letter case. ``domains``
    include their subdomains. ``languages``: a post that states another language is irrelevant; one that states none may
    be relevant. ``feeds``: URLs for the collector of feeds. ``categories`` and ``figures`` (a TOML file of public
    figures) are for scoring.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: str = ""
    keywords: tuple[Pattern, ...] = ()
    phrases: tuple[Pattern, ...] = ()
    exact: tuple[Pattern, ...] = ()
    communities: tuple[Label, ...] = ()
    accounts: tuple[Label, ...] = ()
    domains: tuple[Label, ...] = ()
    languages: tuple[Label, ...] = ()
    feeds: tuple[Label, ...] = ()
    categories: tuple[Label, ...] = ()
    figures: str | None = None

    def relevant(self, signal: Signal) -> bool:
        """Return whether ``signal`` belongs to this beat."""
        if self._languages and signal.lang and _primary(signal.lang) not in self._languages:
            return False
        if self._takes_all:
            return True
        community, author, url = signal.community, signal.author, signal.url
        if community is not None and community.name and community.name.lower() in self._communities:
            return True
        if author is not None and author.name and author.name.lower() in self._accounts:
            return True
        if url and self._domains and self._links_to(url):
            return True
        text = f"{signal.title or ''}\n{(signal.text or '')[:MAX_SCANNED_CHARS]}\n{url or ''}"
        return _finds(self._folded, text.lower()) or _finds(self._cased, text)

    @property
    def takes_everything(self) -> bool:
        """True if every post belongs to this beat."""
        return self._takes_all and not self._languages

    def _links_to(self, url: str) -> bool:
        match = _host(url)
        host = match[1].lower() if match else ""
        while host:
            if host in self._domains:
                return True
            host = host.partition(".")[2]
        return False

    @cached_property
    def _takes_all(self) -> bool:
        watched = (self.keywords, self.phrases, self.exact, self.communities, self.accounts, self.domains)
        return not any(watched)

    @cached_property
    def _communities(self) -> frozenset[str]:
        return frozenset(name.lower().removeprefix("r/") for name in self.communities)

    @cached_property
    def _accounts(self) -> frozenset[str]:
        return frozenset(name.lower().removeprefix("@") for name in self.accounts)

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.domains)

    @cached_property
    def _languages(self) -> frozenset[str]:
        return frozenset(_primary(lang) for lang in self.languages)

    @cached_property
    def _folded(self) -> AhoCorasick | None:
        return _automaton({pattern.lower() for pattern in (*self.keywords, *self.phrases)})

    @cached_property
    def _cased(self) -> AhoCorasick | None:
        return _automaton(set(self.exact))


def relevant_beats(beats: Mapping[str, Beat], signal: Signal) -> tuple[str, ...]:
    """Return the names of the beats that ``signal`` belongs to."""
    return tuple(name for name, beat in beats.items() if beat.relevant(signal))


def load_beats(names_or_paths: Iterable[str]) -> dict[str, Beat]:
    """Read several beats, by name. Raises as :func:`load_beat` does."""
    return {beat.name: beat for beat in map(load_beat, names_or_paths)}


def load_beat(name_or_path: str) -> Beat:
    """Read a beat: a shipped one by its name (``general``, ``ai``), or the TOML file at a path.

    Raises:
        BeatError: there is no such beat, or its definition is invalid.
    """
    shipped = BEAT_FILES / f"{name_or_path}.toml"
    path = shipped if re.fullmatch(r"[a-z0-9-]+", name_or_path) and shipped.is_file() else Path(name_or_path)
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Beat)
    except OSError as error:
        names = ", ".join(sorted(file.stem for file in BEAT_FILES.glob("*.toml")))
        raise BeatError(f"beat {name_or_path!r}: {error.strerror}; give a TOML file or one of: {names}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BeatError(f"beat {name_or_path!r}: {error}; see docs/explanation/matching.md for its fields") from None


def _primary(lang: str) -> str:
    """Return the language of a tag, without region or script: ``pt-BR`` is ``pt``."""
    return lang.lower().replace("_", "-").partition("-")[0]


def _automaton(patterns: set[str]) -> AhoCorasick | None:
    if not patterns:
        return None
    return AhoCorasick(sorted(patterns), matchkind=MatchKind.Standard, implementation=Implementation.DFA)


def _finds(automaton: AhoCorasick | None, text: str) -> bool:
    """Return whether ``text`` contains a pattern as a separate word."""
    if automaton is None:
        return False
    for _, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
        if _ends_word(text, start - 1, start) and _ends_word(text, end, end - 1):
            return True
    return False


def _ends_word(text: str, outside: int, inside: int) -> bool:
    """Return whether a word may end between these neighbours; scripts without spaces do not mark word ends."""
    if not 0 <= outside < len(text):
        return True
    return not (text[outside].isalnum() and text[inside].isalnum()) or _is_unspaced(text[inside]) is not None
