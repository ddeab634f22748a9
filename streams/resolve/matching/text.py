"""Untrusted text, made safe to compare: cleaned, and split into words.

Owns cleaning (control, bidirectional and invisible characters, entities, struck-through and stretched words, white
space, length) and the definition of a word in any script. Must never know about stories or embeddings.
"""

import re
import unicodedata
from html import unescape

from streams.resolve.matching.look_alikes import without_look_alikes

MAX_UNESCAPINGS = 3
"""Bounds how often entities are unescaped; platforms escape twice, and a feed of such posts once more."""

# Cc controls, Cf formats (zero-width, bidirectional, tags), Cs lone surrogates, Co private use; joiners stay below.
_invisible = re.compile(
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0e\\ufeff\\uffa0\\ufff0-\\uffff\\ud800-\\udfff\\ue000-\\uf8ff"
    "\\U000e0000-\\U000e0fff\\U000f0000-\\U0010ffff]+"
).sub
_marks = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
).sub
_entity = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});").sub
# Overlays strike letters through; tatweel stretches Arabic words. Neither is in the spelling of a word of any language.
_decoration = re.compile("[\u0334-\u0338\u0640\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20ea\u20eb]+").sub
_space = re.compile(r"\s+").sub
_sentence = re.compile(r".{12,}?[.!?…。！？](?=[\s\"'”’)\]]|$)|.{4,}?[。！？]").match
_link = re.compile(r"(?:https?://|\bwww\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}/\S*", re.IGNORECASE).sub
_courtesy = re.compile(r"\b(?:RT|via|MT)\s+@\w+:?|@\w+").sub
_word = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)*").findall
_hashtags = re.compile(r"#(\w+)").findall
_filed = re.compile(r"(?:#\w+[\s,.|]*){4,}")
_humps = re.compile(r"(?<=[^\W\dA-Z_])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\dA-Z_])").split
UNSPACED = "[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff]"
"""A letter of a script without spaces between words: Chinese, Japanese, Thai, …"""
_unspaced = re.compile(f"{UNSPACED}+").findall


def clean(text: str, limit: int) -> str:
    """Return ``text`` on one line, without invisible characters, at most ``limit`` characters long.

    Lone surrogates, control, bidirectional and zero-width characters are removed. Stacks of combining marks are cut to
    two, and white space is folded. Joiners stay, because scripts and emoji need them. Entities are unescaped. Words
    that are struck through, stretched or of two scripts become plain. The cut is at a word's end if one is near.
    """
    text = _unescaped(text[: 4 * limit + 64])
    if not (text.isascii() and text.isprintable()):
        text = _marks(r"\1", _spelled(_invisible("", text)))
        text = _space(" ", text).strip().strip("\u200c\u200d\ufe0f ")
    else:
        text = " ".join(text.split())
    if len(text) <= limit:
        return text
    cut = text.rfind(" ", limit * 3 // 4, limit)
    return text[: cut if cut > 0 else limit - 1].rstrip(" ,;:-–—") + "…"


def first_sentence(text: str) -> str:
    """Return the first sentence of ``text``, or all of it if none ends."""
    match = _sentence(text)
    return match[0] if match else text


def words(text: str) -> list[str]:
    """Return the words of ``text``, in order, folded so that their spellings agree, without links and mentions.

    A hashtag is a word, and #WrittenLikeThis also the words in it. Four and more hashtags in a row only file a post, so
    they are left out unless the post has nothing else. Scripts without spaces (Chinese, Japanese, Thai, …) give
    overlapping pairs of characters, the usual substitute for words there (McNamee and Mayfield, 2004).
    """
    text = _unescaped(text)
    if "#" in text:
        rest = _filed.sub(" ", text)
        text = rest if _word(rest) else text
        inner = [" ".join(parts) for tag in _hashtags(text) if len(parts := _humps(tag)) > 1]
        text = " ".join((text, *inner))
    if "/" in text or "www." in text.lower():
        text = _link(" ", text)
    if "@" in text:
        text = _courtesy(" ", text)
    if not text.isascii():
        text = _spelled(unicodedata.normalize("NFKC", text))
    found: list[str] = []
    for word in _word(text.lower()):
        plain = word.removesuffix("'s").removesuffix("’s")
        if plain.isascii() or not (runs := _unspaced(plain)):
            if len(plain) > 1 or plain.isdigit():
                found.append(plain)
            continue
        for run in runs:
            found.extend(run[i : i + 2] for i in range(max(1, len(run) - 1)))
    return found


def filed(text: str) -> list[str]:
    """Return the words of the rows of hashtags in ``text``, which :func:`words` leaves out, each once."""
    if text.count("#") < 4:
        return []
    tags = _hashtags(" ".join(_filed.findall(_unescaped(text))))
    return list(dict.fromkeys(words(" ".join(part for tag in tags for part in (tag, *_humps(tag))))))


def _unescaped(text: str) -> str:
    """Return ``text`` without entities: platforms and feeds escape some texts twice and more."""
    for _ in range(MAX_UNESCAPINGS):
        if "&" not in text or text == (text := _entity(_character, text)):
            break
    return text


def _character(entity: re.Match[str]) -> str:
    return unescape(entity[0])


def _spelled(text: str) -> str:
    """Return ``text`` with its words as they are spelled: not struck through, not stretched, each in one script."""
    return without_look_alikes(_decoration("", text))
