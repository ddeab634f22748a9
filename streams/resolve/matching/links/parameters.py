"""Which parameters of a link name the page, and which say only how a reader came to it.

A name such as ``utm_source`` never names a page. A name such as ``ref`` may: it counts unless the site is known to
track with it, or its value looks like a tracker. So pages that differ in ``?ref=main`` and ``?ref=v2`` stay apart.
"""

import re
from urllib.parse import unquote

from streams.resolve.matching.links.address import Field
from streams.resolve.matching.links.rules import RULES, Known, Names

_trackers = Names(RULES.parameters.trackers)
_suspects = Names(RULES.parameters.suspects)
_topics = Names(RULES.parameters.topics)
_sessions = Names(RULES.parameters.sessions)
_values = RULES.parameters.values
_words = frozenset(RULES.parameters.words)

_is_session = re.compile(r"[0-9a-fA-F]{32}").fullmatch
_is_home = re.compile(r"(?:https?|android-app)://[^/?#]+/?", re.IGNORECASE).fullmatch
_host_ending = re.compile(r"(?:[a-z0-9-]+\.)+([a-z]+)").fullmatch
_between_words = re.compile(r"[\W\d_]+").split
_is_random = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w-]{10,}", re.ASCII).fullmatch
_names_a_page = re.compile(r"[^/]+[-_][^/]|\d{4}").search
_is_headline = re.compile(r"(?:[^/.]*[-_]){2,}[^/.]*(?:\.(?:html?|php|aspx?|cms|stm|ece))?").fullmatch
_endings = frozenset(RULES.parameters.endings)


def meaningful(fields: list[Field], known: Known, path: str) -> list[Field]:
    """Return those of ``fields`` that name the page at ``path`` of a site, sorted."""
    if known.keep is not None:
        return sorted((field for field in fields if field[0] in known.keep), key=_order)
    return sorted((field for field in fields if not _decorates(field, known.drop, path)), key=_order)


def _decorates(field: Field, drop: Names | None, path: str) -> bool:
    name, value = field
    if name in _trackers or (drop is not None and name in drop):
        return True
    if name in _suspects:
        return not path or _looks_like_tracker(value or "", path)
    if name in _topics and (not path or _names_a_page(path)):
        return _looks_like_tracker(value or "", path)
    if name in _sessions and _is_session(value or ""):
        return True
    return (value or "").lower() in _values.get(name.lower(), ())


def _looks_like_tracker(value: str, path: str) -> bool:
    """Return whether ``value`` says where a reader came from: a site, a channel, a place on a page, a person.

    A random identifier may be that, too, or the page itself. It is that if the path spells out a headline.
    """
    if not value:
        return True
    value = unquote(value)
    if value.startswith("@") or "---" in value or _is_home(value):
        return True
    if (host := _host_ending(value.lower())) and host[1] in _endings:
        return True
    if _is_random(value):
        return _is_headline(path.rpartition("/")[2]) is not None
    words = [word for word in _between_words(value.lower()) if word]
    return bool(words) and _words.issuperset(words)


def _order(field: Field) -> tuple[str, str]:
    return field[0], field[1] or ""
