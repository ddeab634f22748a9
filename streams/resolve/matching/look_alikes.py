"""Words that mix two scripts: their look-alikes become letters of the script that the word is written in.

Owns which letters look alike in Latin, Cyrillic and Greek. Must never touch a word of one script: an all-Cyrillic word
stays, whatever it looks like.
"""

import re
import unicodedata

# From Unicode's confusables.txt (UTS 39): letters that look equal in most typefaces, above each other. Words are
# compared in normal form D, so "ї" is "і" and an accent.
_CYRILLIC = "АВЕІКМНОРСТУХаеікорсух"
_AS_CYRILLIC = "ABEIKMHOPCTYXaeikopcyx"
_GREEK = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχ"
_AS_GREEK = "ABEZHIKMNOPTYXaikvopux"
# Rare letters. People who write with them have keys for them, so no Latin letter is meant as one.
_RARE = "ЅЈӀҮԌԚԜѕјӏһԁԛѵԝϹͿϲϳ"
_AS_RARE = "SJIYGQWsjlhdqvwCJcj"

_TO_LATIN = str.maketrans(_CYRILLIC + _GREEK + _RARE, _AS_CYRILLIC + _AS_GREEK + _AS_RARE)
_TO_CYRILLIC = str.maketrans(_AS_CYRILLIC, _CYRILLIC)
_TO_GREEK = str.maketrans(_AS_GREEK, _GREEK)

_LATIN = "A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u024f\\u1e00-\\u1eff"
_OTHER = "\\u0370-\\u0373\\u0376\\u0377\\u037f\\u0386\\u0388-\\u052f\\u1f00-\\u1fff"
_MARKS = "\\u0300-\\u036f"
_has_other = re.compile(f"[{_OTHER}]").search
_is_mixed = re.compile(f"[{_LATIN}][{_MARKS}]*[{_OTHER}]|[{_OTHER}][{_MARKS}]*[{_LATIN}]").search
_words = re.compile(f"[{_LATIN}{_OTHER}{_MARKS}]{{2,}}").sub
_is_latin = re.compile(f"[{_LATIN}]").fullmatch
_is_greek = re.compile("[\\u0370-\\u03ff]").search


def without_look_alikes(text: str) -> str:
    """Return ``text`` with each word of two scripts in one of them.

    That is the script of most letters if the others have look-alikes there, or else Latin. A word for which neither
    holds stays as it is, as "Δv" and "vkонтакте" do.
    """
    if not _has_other(text) or not _is_mixed(text):
        return text
    return _words(_in_one_script, text)


def _in_one_script(match: re.Match[str]) -> str:
    word = match[0]
    if not _is_mixed(word):
        return word
    letters = unicodedata.normalize("NFD", word)
    alone = [letter for letter in letters if letter.isalpha()]
    latin = [letter for letter in alone if _is_latin(letter)]
    from_latin = _TO_GREEK if _is_greek(letters) else _TO_CYRILLIC
    if 2 * len(latin) < len(alone) and all(ord(letter) in from_latin for letter in latin):
        letters = letters.translate(from_latin)
    elif all(_is_latin(letter) or ord(letter) in _TO_LATIN for letter in alone):
        letters = letters.translate(_TO_LATIN)
    else:
        return word
    return unicodedata.normalize("NFC", letters)
