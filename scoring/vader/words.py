"""Words: what VADER knows of single words, emojis and expressions.

Owns the reading of this package's data files. Must never know the rules that combine words.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

BOOST = 0.293
"""How much a strengthening word adds to the valence of the next one, and a weakening word takes off."""


class Words(NamedTuple):
    """VADER's lexicon. ``valences``: of lower-case words and emoticons, -4 to 4. ``emojis``: what each shows, in words.

    ``boosters``: what a word or expression adds to the valence after it. ``idioms``: the valence of each expression.
    ``idioms_by_longest``: the words of each multi-word booster or idiom, with the index of its longest word, by that
    word: a text without that word does not contain the expression.
    """

    valences: Mapping[str, float]
    emojis: Mapping[str, str]
    boosters: Mapping[str, float]
    negations: frozenset[str]
    idioms: Mapping[str, float]
    idioms_by_longest: Mapping[str, list[tuple[int, list[str]]]]


@cache
def words() -> Words:
    """Return the lexicon, read from this package's files on the first call."""
    rules = tomllib.loads(_text("rules.toml"))
    boosters = dict.fromkeys(rules["strengthening"], BOOST) | dict.fromkeys(rules["weakening"], -BOOST)
    by_longest: dict[str, list[tuple[int, list[str]]]] = {}
    for idiom in (expression.split() for expression in (*boosters, *rules["idioms"]) if " " in expression):
        longest = max(idiom, key=len)
        by_longest.setdefault(longest, []).append((idiom.index(longest), idiom))
    return Words(
        valences={word: float(valence) for word, valence in _pairs("valences.tsv")},
        emojis=dict(_pairs("emojis.tsv")),
        boosters=boosters,
        negations=frozenset(rules["negations"]),
        idioms=rules["idioms"],
        idioms_by_longest=by_longest,
    )


def _pairs(file: str) -> list[tuple[str, str]]:
    rows = (line.partition("\t") for line in _text(file).removesuffix("\n").split("\n"))
    return [(key, value) for key, _, value in rows]


def _text(file: str) -> str:
    return files(__package__).joinpath(file).read_text(encoding="utf-8")
