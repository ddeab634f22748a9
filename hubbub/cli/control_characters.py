"""Text by untrusted users on a terminal.

Owns which of its characters are shown. Must never import anything heavy: every command needs it.
"""

import unicodedata


def strip_controls(text: str) -> str:
    """Return ``text`` without control, format, surrogate and private-use characters.

    They could move the cursor, reverse the line, or hide text.
    """
    return "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})
