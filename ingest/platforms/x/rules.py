"""The rules of X's filtered stream: which to add and which to delete, so that they are the options' queries.

Owns the tag by which our rules are known; rules with other tags belong to others and stay. Pure. Must never send.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

TAG: Final = "hubbub-"


class Rule(msgspec.Struct, frozen=True):
    """A rule as X lists it."""

    id: str
    value: str
    tag: str | None = None


class Changes(NamedTuple):
    """``add``: the body of the request, one entry a rule. ``delete``: ids. Both are empty if the rules are right."""

    add: list[dict[str, str]]
    delete: list[str]


def tag(query: str) -> str:
    """Return the tag of our rule for ``query``: the same query has the same tag.

    >>> tag("OpenAI").startswith("hubbub-")
    True
    """
    return TAG + hashlib.sha256(query.encode()).hexdigest()[:12]


def changes(queries: Sequence[str], existing: Iterable[Rule]) -> Changes:
    """Return what makes ``existing`` the rules for ``queries``. A query that others have as a rule is not added again.

    >>> changes(["a"], [Rule("1", "a", tag("a")), Rule("2", "b", tag("b")), Rule("3", "c", "theirs")])
    Changes(add=[], delete=['2'])
    """
    wanted = dict.fromkeys(queries)
    kept: set[str] = set()
    delete: list[str] = []
    for rule in existing:
        if rule.value in wanted and rule.value not in kept:
            kept.add(rule.value)
        elif (rule.tag or "").startswith(TAG):
            delete.append(rule.id)
    return Changes([{"value": query, "tag": tag(query)} for query in wanted if query not in kept], delete)
