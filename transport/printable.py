"""Text of untrusted users on one line, for a terminal, a log or a record.

Owns which characters are shown as they are. Must never know where the text comes from.
"""


def printable(text: str, keep: str = "") -> str:
    r"""Return ``text`` with escapes for what could move a cursor, hide text or be no UTF-8; ``keep``: left alone.

    >>> printable("a\x1b[2J\ud800b")
    'a\\x1b[2J\\ud800b'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )
